"""A real build that copies a context full of canary files, with the project's .dockerignore."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dockyard import context
from dockyard.audit.trials import CanaryBuild
from dockyard.errors import BuildError

if TYPE_CHECKING:
    from dockyard.build.workshop import Workshop

# In each folder from which the context admits something: what a .dockerignore lets through, it lets through there.
IN_FOLDERS = (".env", ".env.prod", "prod.env", ".envrc", "id_rsa", ".netrc")
MOST_FOLDERS = 40
CONTROL = "control"
COPY_ALL = "FROM scratch\nCOPY . /\n"


def canary_build(shop: Workshop) -> CanaryBuild:
    """Plant canaries, build a Dockerfile that copies everything, and list those that arrived, by name or by content.

    Raises:
        BuildError: A file that the context admits did not arrive either, so that nothing is shown.
    """
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        root, dockerfile, archive = (Path(folder, name) for name in ("context", "Dockerfile", "built.tar"))
        root.mkdir()
        admitted = list(context.files(shop.plan.context, shop.ignore))
        planted = context.plant(root, dict.fromkeys([*context.CANARIES, *_deeper(admitted)]))
        control = next((name for name in admitted if name not in planted), "")
        if control:
            (root / control).parent.mkdir(parents=True, exist_ok=True)
            (root / control).write_text(CONTROL, "utf-8")
        dockerfile.write_text(COPY_ALL, "utf-8")
        if shop.ignore.file:
            # It counts before any .dockerignore of the context.
            shutil.copyfile(shop.ignore.file, f"{dockerfile}.dockerignore")
        output = {"type": "tar", "dest": str(archive)}
        shop.build(root, file=dockerfile, output=output, target=None, secrets=[], build_args={}, platforms=None)
        arrived = _arrived(archive)
    if control and control not in arrived:
        raise BuildError(
            "The build of canary files shows nothing.",
            f"{control}, which the context admits, did not arrive either.",
            "Look at the .dockerignore.",
        )
    return CanaryBuild(planted=planted, arrived=tuple(name for name in planted if name in arrived))


def _deeper(admitted: list[str]) -> list[str]:
    """Return canaries for each folder from which something is admitted."""
    folders = {str(parent) for name in admitted for parent in PurePosixPath(name).parents} - {"."}
    return [f"{folder}/{name}" for folder in sorted(folders)[:MOST_FOLDERS] for name in IN_FOLDERS]


def _arrived(archive: Path) -> set[str]:
    """Return the names of the files in an image, and those that its canaries say they had."""
    found = set()
    with tarfile.open(archive) as members:
        for member in members:
            stream = members.extractfile(member) if member.isfile() else None
            if stream:
                mark, _, name = stream.read().decode("utf-8", "replace").partition(" ")
                found |= {member.name.removeprefix("./"), *([name.strip()] if mark == context.CANARY else [])}
    return found
