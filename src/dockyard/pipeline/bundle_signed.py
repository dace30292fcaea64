"""A bundle and its signature: made where one was asked for, and verified before anything of a bundle is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard import bundle, push
from dockyard.pipeline.bundle import write_bundle
from dockyard.push.files import require_cosign, sign_file, verify_file
from dockyard.push.signature import insisted
from dockyard.settings.sources import process_environment

if TYPE_CHECKING:
    from pathlib import Path

    from dockyard.bundle import Verified
    from dockyard.pipeline.bundle import BundleOptions
    from dockyard.pipeline.project import Project

VERIFY = "bundle.verify"


def write_signed(project: Project, options: BundleOptions) -> Verified:
    """Write a bundle and its signature beside it.

    Raises:
        EngineError: There is no cosign, or it could not be signed; and as `write_bundle` does.
        SettingsError: There is nothing to sign with.
    """
    wanted = project.settings.sign
    require_cosign(wanted)
    # A bundle takes minutes, so this is asked before.
    by = insisted(wanted, "cosign", process_environment())
    written = write_bundle(project, options)
    project.announce(f"signing {options.output}")
    project.console.note(sign_file(by, options.output, {}), style="green")
    return written


def verified(project: Project, archive: Path) -> Verified:
    """Return a bundle of which every byte is what its manifest says, signed as the settings want if they want it.

    Raises:
        EngineError: It is not, or there is no cosign to tell.
        SettingsError: There is no such file, or it is not said whose signature it must be.
    """
    if project.settings.bundle.verify and archive.is_file():
        require_cosign(project.settings.sign)
        # Where notation is installed alone it would be taken, and it verifies images.
        wanted = project.settings.sign.model_copy(update={"tool": "cosign"})
        verify_file(push.verifier(wanted, VERIFY), archive, {})
        project.announce(f"cosign verified the signature of {archive}")
    return bundle.verify(archive)
