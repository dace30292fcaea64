"""What keys of [tool.dockyard] are made of: forms of values, and what is refused in all of them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

NAME = r"^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$"
PYTHON = r"^3\.\d{1,2}$"
SIZE = r"^\d+[kmg]$"
OPTIONAL_SIZE = r"^(\d+[kmg])?$"
TAG = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
CONTAINER = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$"
USER = r"^\d+:\d+$"
DNS_LABEL = r"^[a-z](?:[a-z0-9-]{0,48}[a-z0-9])?$"
OPTIONAL_DNS_LABEL = r"^([a-z](?:[a-z0-9-]{0,48}[a-z0-9])?)?$"
IMAGE = r"^([A-Za-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?)?$"
CACHE_PART = r"^[^\s,\"=@]*$"
ENTRY = r"^[A-Za-z0-9._-]+$"
RESTART = r"^(no|always|unless-stopped|on-failure(:\d+)?)$"
SIGNAL = r"^(|HUP|USR1|USR2)$"
PATTERNS = {
    NAME: "an image name in small letters, like team/house-pricing-api",
    PYTHON: "a Python version, like 3.12",
    SIZE: "a size with its unit, like 512m",
    OPTIONAL_SIZE: "a size with its unit, like 512m, or empty",
    TAG: "a tag: letters, digits, points and dashes, at most 128",
    CONTAINER: "a container name: letters, digits, points and dashes",
    DNS_LABEL: "small letters, digits and dashes, at most 50, a letter first",
    OPTIONAL_DNS_LABEL: "small letters, digits and dashes, at most 50, a letter first; or empty",
    IMAGE: "an image, like registry.corp/team/api or registry.corp/team/api@sha256:…",
    CACHE_PART: "without blanks, commas, quotes, = and @: credentials are taken from the environment alone",
    ENTRY: "letters, digits, points, dashes and underscores",
    USER: "a UID and a GID in digits, like 1000:1000",
    RESTART: "no, always, unless-stopped or on-failure:5",
    SIGNAL: "HUP, USR1, USR2 or empty",
}
SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)", re.IGNORECASE)


def split(value: object) -> object:
    """Turn `a,b` into a list: a variable has no other way to say one."""
    return [part for each in value.split(",") if (part := each.strip())] if isinstance(value, str) else value


def refuse_text(value: object) -> object:
    """Say where a table is written, if one was given as a variable."""
    if isinstance(value, str):
        raise ValueError("is a table: write it in pyproject.toml")  # noqa: TRY004 - pydantic wants a ValueError
    return value


PythonVersion = Annotated[str, StringConstraints(pattern=PYTHON)]
Port = Annotated[int, Field(ge=0, le=65535)]
Words = Annotated[tuple[str, ...], BeforeValidator(split)]
Table = Annotated[dict[str, str], BeforeValidator(refuse_text)]


class Section(BaseModel):
    """A frozen table of settings in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def refuse_secrets(values: dict[str, str]) -> dict[str, str]:
    """Refuse a name that sounds like a secret: arguments and variables are readable by all who see the image."""
    named = [name for name in values if SECRET_NAME.search(name) and not name.endswith("_FILE")]
    if named:
        raise ValueError(f"{', '.join(named)} would be readable in the image or in `docker inspect`: use a secret")
    return values
