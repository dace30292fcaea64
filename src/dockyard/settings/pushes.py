"""The tables of `invoke push`: where an image goes, under which tags, and who signs it."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from dockyard.settings.fields import IMAGE, Section, Words

# Each stands for what is known of the image; the rest of a tag is taken as it is.
PLACES = ("version", "python", "commit")
TAG_LETTERS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Push(Section):
    """Where `invoke push` sends the image."""

    repository: str = Field(
        "",
        pattern=IMAGE,
        description="The repository, for instance `registry.corp/team/api`. Default: that of `deploy.image`.",
    )
    tags: Words = Field(
        ("{version}",),
        min_length=1,
        description="Tags it gets there; `{version}`, `{python}` and `{commit}` (12 digits) are filled in.",
    )
    moving: Words = Field(
        ("latest", "main", "prod", "staging"),
        description="Tags, or patterns of tags, that may be moved from one image to another; no other tag is.",
    )
    attempts: int = Field(
        5, gt=0, le=20, description="How often it is tried where the network or the registry fails for a moment."
    )
    pause: float = Field(
        1, ge=0, allow_inf_nan=False, description="Seconds before the second attempt; twice as long before each next."
    )
    wait: float = Field(1800, gt=0, allow_inf_nan=False, description="Seconds that the push of one tag may take.")
    user: str = Field("", description="Name at the registry. Default: what `docker login` keeps.")
    password: SecretStr | None = Field(
        None, description="Password or token at the registry; the variable alone, a file that is in git is refused."
    )

    @field_validator("repository")
    @classmethod
    def _no_digest(cls, value: str) -> str:
        """Refuse what names one image."""
        if "@" in value or ":" in value.rpartition("/")[2]:
            raise ValueError("is a repository: no tag and no digest")
        return value

    @field_validator("tags")
    @classmethod
    def _known_places(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse a placeholder that nothing fills, and what no registry takes for a tag."""
        for each in values:
            rest = re.sub(r"\{(" + "|".join(PLACES) + r")\}", "x", each)
            if not TAG_LETTERS.fullmatch(rest):
                raise ValueError(f"{each} is no tag; it may hold {{version}}, {{python}} and {{commit}}")
        return values


class Sign(Section):
    """Who signs what `invoke push` sent or `invoke bundle` wrote, and whose signature `verify` of both insists on."""

    tool: Literal["auto", "cosign", "notation", "off"] = Field(
        "auto",
        description="`auto` signs where cosign or notation is installed and has a key, or GitHub vouches for the job.",
    )
    key: str = Field(
        "",
        description="The key by reference: of cosign a file, `env://NAME` or a KMS (`awskms://…`); of notation its "
        "name. Empty: keyless, in GitHub.",
    )
    public_key: str = Field("", description="The key that verifies, the same way. Default: `key`, if it is in a KMS.")
    identity: str = Field(
        "", description="Keyless: whose certificate it must be, as a regular expression of the workflow's address."
    )
    issuer: str = Field(
        "https://token.actions.githubusercontent.com", description="Keyless: who must vouch for that identity."
    )
    transparency_log: bool = Field(
        False,
        description="Whether signatures with a key are put into a public log, and must be in it; keyless ones are.",
    )
