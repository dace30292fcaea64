"""Signatures by cosign or notation: made of a digest, never of a tag, and verified before a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dockyard.deploy.reference import read
from dockyard.engines import process
from dockyard.errors import DeployError, EngineError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.settings.pushes import Sign

Tool = Literal["cosign", "notation"]
TOOLS: tuple[Tool, ...] = ("cosign", "notation")
# GitHub gives a job these if it may ask for an identity: `permissions: id-token: write`.
GITHUB = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
CERTIFICATES = Path("/etc/docker/certs.d")
SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who signs or verifies, and how it is asked to.

    Attributes:
        keyless: Whether GitHub's identity of the job stands for a key.
    """

    tool: Tool
    wanted: Sign
    keyless: bool = False

    def sign_command(self, reference: str) -> tuple[str, ...]:
        """Return what signs an image by its digest."""
        if self.tool == "notation":
            return ("notation", "sign", *(("--key", self.wanted.key) if self.wanted.key else ()), reference)
        return ("cosign", "sign", "--yes", *self._own_key(), *_certificates(reference), reference)

    def verify_command(self, reference: str) -> tuple[str, ...]:
        """Return what ends with 0 only if the right one signed that digest."""
        if self.tool == "notation":
            return ("notation", "verify", reference)
        return ("cosign", "verify", "--output=json", *self._wanted_signer(), *_certificates(reference), reference)

    def sign_file_command(self, file: Path, signature: Path) -> tuple[str, ...]:
        """Return what signs a file; what a log or a certificate says is written with the signature."""
        output = "--bundle" if self.keyless or self.wanted.transparency_log else "--output-signature"
        return ("cosign", "sign-blob", "--yes", *self._own_key(), output, str(signature), str(file))

    def verify_file_command(self, file: Path, signature: Path) -> tuple[str, ...]:
        """Return what ends with 0 only if the right one signed that file; no log is asked, and no registry."""
        kept = "--signature" if _public(self.wanted) and not self.wanted.transparency_log else "--bundle"
        return ("cosign", "verify-blob", *self._wanted_signer(), "--offline=true", kept, str(signature), str(file))

    def _own_key(self) -> tuple[str, ...]:
        return (
            () if self.keyless else ("--key", self.wanted.key, f"--tlog-upload={_word(self.wanted.transparency_log)}")
        )

    def _wanted_signer(self) -> tuple[str, ...]:
        """Return whose signature counts."""
        if not _public(self.wanted):
            given = ("--certificate-identity-regexp", self.wanted.identity)
            return (*given, "--certificate-oidc-issuer", self.wanted.issuer)
        private = () if self.wanted.transparency_log else ("--private-infrastructure=true",)
        return ("--key", _public(self.wanted), *private)

    @staticmethod
    def said(done: process.Completed) -> str:
        """Return the cause that a tool names."""
        return done.last_line.removeprefix("Error: ").removeprefix("error during command execution: ")

    @property
    def verifies(self) -> bool:
        """Whether it is known whose signature to look for; of notation its own trust policy says so."""
        return self.tool == "notation" or bool(_public(self.wanted) or self.wanted.identity)


def signer(wanted: Sign, tool: str, environment: Mapping[str, str]) -> tuple[Signer | None, str]:
    """Return who signs, or None and why nobody does.

    Args:
        wanted: The settings.
        tool: auto, cosign, notation or off.
        environment: Of this process.

    Raises:
        EngineError: The one that is asked for is not installed.
        SettingsError: It has nothing to sign with.
    """
    if tool == "off":
        return None, ""
    if tool == "auto":
        in_github = _in_github(environment)
        installed = [each for each in TOOLS if process.find(each)]
        if not installed:
            return None, "Not signed: neither cosign nor notation is installed here."
        if not (wanted.key or in_github):
            return None, f"Not signed: `key` in [tool.dockyard.sign] names no key for {installed[0]}."
        return _made(wanted, installed[0], in_github), ""
    return insisted(wanted, "cosign" if tool == "cosign" else "notation", environment), ""


def insisted(wanted: Sign, tool: Tool, environment: Mapping[str, str]) -> Signer:
    """Return who signs where one tool is asked for.

    Raises:
        EngineError: It is not installed.
        SettingsError: It has nothing to sign with.
    """
    in_github = _in_github(environment)
    made = _made(wanted, tool, in_github)
    _require_installed(made.tool)
    if made.tool == "cosign" and not (wanted.key or in_github):
        raise SettingsError(
            "There is nothing to sign with, so nothing was done.",
            "`key` in [tool.dockyard.sign] is empty, and no job of GitHub with `id-token: write` is running.",
            "Name a key by reference (a file, `env://NAME`, `awskms://…`), or leave out `--sign`.",
        )
    return made


def _in_github(environment: Mapping[str, str]) -> bool:
    return all(environment.get(name) for name in GITHUB)


def _made(wanted: Sign, tool: Tool, in_github: bool) -> Signer:
    return Signer(tool=tool, wanted=wanted, keyless=in_github and not wanted.key)


def verifier(wanted: Sign, setting: str = "deploy.verify") -> Signer:
    """Return who verifies, before a deployment or where another setting wants it.

    Raises:
        EngineError: No such tool is installed.
        SettingsError: It is not said whose signature it must be.
    """
    named = wanted.tool if wanted.tool in TOOLS else next((each for each in TOOLS if process.find(each)), "cosign")
    made = Signer(tool="notation" if named == "notation" else "cosign", wanted=wanted)
    _require_installed(made.tool)
    if not made.verifies:
        raise SettingsError(
            f"No signature can be verified, so nothing was {'deployed' if setting == 'deploy.verify' else 'done'}.",
            f"`{setting}` is on, and it is not said whose signature it must be.",
            "Set `public_key`, or `identity` for keyless ones, in [tool.dockyard.sign].",
        )
    return made


def sign(by: Signer, reference: str, environment: Mapping[str, str]) -> str:
    """Sign an image by its digest, unless it is signed so already; return in words what was done.

    Raises:
        DeployError: It could not be signed, or its signature is not the right one.
    """
    if by.verifies and not _refusal(by, reference, environment):
        return f"was signed already, by {by.tool}"
    done = process.run(by.sign_command(reference), timeout=SECONDS, environment=environment)
    if not done.ok:
        raise DeployError(
            f"{reference} was pushed, but not signed.",
            by.said(done),
            "Mend what is said above, then run `invoke push` again: what is there is not sent again.",
        )
    how = f"signed by {by.tool}{', keyless' if by.keyless else ''}"
    if not by.verifies:
        return f"{how}; not verified: `public_key` is not set"
    refused = _refusal(by, reference, environment)
    if refused:
        raise DeployError(
            f"{reference} was signed, but its signature is not what [tool.dockyard.sign] wants.",
            refused,
            "See that `public_key` or `identity` belongs to what signs.",
        )
    return f"{how} and verified"


def verify(by: Signer, reference: str, environment: Mapping[str, str]) -> None:
    """Raise DeployError unless the right one signed this image.

    Args:
        by: Who verifies.
        reference: By digest.
        environment: Lets it into the registry.
    """
    if not read(reference).digest:
        raise DeployError(
            f"{reference} was not deployed: a signature is of a digest, and this is a tag.",
            "`deploy.verify` is on, and a tag can be moved to an image that nobody signed.",
            "Deploy it by digest: leave out `--allow-tag`.",
        )
    refused = _refusal(by, reference, environment)
    if refused:
        raise DeployError(
            f"{reference} was not deployed: no right signature of it was found.",
            f"{by.tool}: {refused}",
            "Sign it with `invoke push --sign cosign`, or see that [tool.dockyard.sign] names the right signer.",
        )


def _refusal(by: Signer, reference: str, environment: Mapping[str, str]) -> str:
    """Return why a signature does not count; nothing if it does."""
    done = process.run(by.verify_command(reference), timeout=SECONDS, environment=environment)
    return "" if done.ok else by.said(done)


def _public(wanted: Sign) -> str:
    """Return the key that verifies: a KMS has it under the name of the one that signs."""
    in_kms = "://" in wanted.key and not wanted.key.startswith("env://")
    return wanted.public_key or (wanted.key if in_kms else "")


def _certificates(reference: str) -> tuple[str, ...]:
    """Return how cosign is told of the CA that the engine knows for a registry: it looks in no folder of docker's."""
    known = sorted((CERTIFICATES / read(reference).registry).glob("*.crt"))
    return ("--registry-cacert", str(known[0])) if known else ()


def _require_installed(tool: Tool) -> None:
    if not process.find(tool):
        raise EngineError(
            f"There is no `{tool}` on this machine.",
            "It was looked for on PATH.",
            f"Install {tool}, or say `--sign off`.",
        )


def _word(flag: bool) -> str:
    return "true" if flag else "false"
