"""Signatures of files by cosign, each beside its file: made with the settings of an image's, and verified by them."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from dockyard.engines import process
from dockyard.errors import EngineError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.push.signature import Signer
    from dockyard.settings.pushes import Sign

# A file is read whole for it, and may be of many gigabytes.
SECONDS = 1800


def signature_of(file: Path) -> Path:
    """Return where the signature of a file is."""
    return file.with_name(f"{file.name}.sig")


def require_cosign(wanted: Sign) -> None:
    """Raise SettingsError where the settings insist on a tool that signs images alone."""
    if wanted.tool == "notation":
        raise SettingsError(
            "A bundle has no signature of notation, so nothing was done.",
            "Here it signs images alone, and a bundle is a file.",
            'Set `tool = "cosign"` in [tool.dockyard.sign].',
        )


def sign_file(by: Signer, file: Path, environment: Mapping[str, str]) -> str:
    """Sign a file, and return in words what was done; the signature takes its place once it was verified.

    Raises:
        EngineError: It could not be signed, or its signature is not the right one.
    """
    target = signature_of(file)
    half = file.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        done = process.run(by.sign_file_command(file, half), timeout=SECONDS, environment=environment)
        if not (done.ok and half.is_file()):
            raise EngineError(
                f"{file} was written, but not signed.", by.said(done), "Mend what is said above, and write it again."
            )
        refused = _refusal(by, file, half, environment) if by.verifies else ""
        if refused:
            raise EngineError(
                f"{file} was signed, but its signature is not what [tool.dockyard.sign] wants.",
                refused,
                "See that `public_key` or `identity` belongs to what signs.",
            )
        half.replace(target)
    finally:
        with suppress(OSError):
            half.unlink()
    how = f"{target.name}: signed by cosign{', keyless' if by.keyless else ''}"
    return f"{how} and verified" if by.verifies else f"{how}; not verified: `public_key` is not set"


def verify_file(by: Signer, file: Path, environment: Mapping[str, str]) -> None:
    """Raise EngineError unless the right one signed a file."""
    signature = signature_of(file)
    what = f"{file} was not used: no right signature of it was found."
    todo = (
        "Get the bundle and its signature again from who made them, or see that [tool.dockyard.sign] names the signer."
    )
    if not signature.is_file():
        raise EngineError(what, f"There is no {signature}.", todo)
    refused = _refusal(by, file, signature, environment)
    if refused:
        raise EngineError(what, f"cosign: {refused}", todo)


def _refusal(by: Signer, file: Path, signature: Path, environment: Mapping[str, str]) -> str:
    """Return why a signature does not count; nothing if it does."""
    done = process.run(by.verify_file_command(file, signature), timeout=SECONDS, environment=environment)
    return "" if done.ok else by.said(done)
