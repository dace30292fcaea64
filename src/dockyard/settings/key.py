"""The API key of the production container: where it may come from, and what is wrong with it. Never printed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE = "API_KEY"
FILE_VARIABLE = f"{VARIABLE}_FILE"
VARIABLES = (VARIABLE, FILE_VARIABLE)
STORED = "api_key"
HOW = (
    "Set API_KEY in the environment, give a file with an API_KEY=… line by --env-file, "
    "or run `invoke up` once: it makes a key and keeps it."
)
MAKE = 'Make one with `python -c "import secrets; print(secrets.token_urlsafe(32))"`.'


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key, or several on a line each while one takes the place of another; and, for messages, where it came from."""

    value: SecretStr
    origin: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The keys, one each."""
        return tuple(self.value.get_secret_value().split())


def make() -> SecretStr:
    """Return a new key of 43 characters."""
    return SecretStr(secrets.token_urlsafe(32))


def given(*, env_file: Path | None, ask: Callable[[], str] | None, length: int) -> Key:
    """Return a key that is to take another's place: of a file or the keyboard; a new one if neither is meant.

    Raises:
        SettingsError: The file holds none, it is too short, or no HTTP header can carry it.
    """
    if env_file is not None:
        return _checked(_from_file(env_file), f"{env_file}", length)
    if ask is not None:
        return _checked(ask(), "the keyboard", length)
    return Key(value=make(), origin="a new one that was made")


def find(
    *,
    env_file: Path | None,
    environment: Mapping[str, str],
    stored: str | None,
    ask: Callable[[], str] | None,
    length: int,
) -> Key:
    """Return the key from the first place that has one: file, environment, the kept one, the keyboard.

    Args:
        env_file: A file of NAME=value lines.
        environment: The process environment.
        stored: The key that `invoke up` made.
        ask: Prompts for it; None where nobody can answer.
        length: Fewest characters.

    Raises:
        SettingsError: There is none, or it is too short, or no HTTP header can carry it.
    """
    if env_file is not None:
        return _checked(_from_file(env_file), f"{env_file}", length)
    if VARIABLE in environment:
        return _checked(environment[VARIABLE], "the environment variable API_KEY", length)
    if FILE_VARIABLE in environment:
        path = Path(environment[FILE_VARIABLE])
        return _checked(_text(path), f"{path} (API_KEY_FILE)", length)
    if stored is not None:
        return _checked(stored, "the key that `invoke up` made", length)
    if ask is not None:
        return _checked(ask(), "the keyboard", length)
    raise SettingsError("There is no API key, so nothing was started.", "API_KEY is not set.", HOW)


def _checked(value: str, origin: str, length: int) -> Key:
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    shortest = min(map(len, lines), default=0)
    if shortest < length:
        raise SettingsError(
            "The API key is too short, so nothing was started." if lines else "The API key is empty.",
            f"From {origin}: {shortest} characters; production wants {length} at least.",
            MAKE,
        )
    if not all(line.isascii() and line.isprintable() and " " not in line for line in lines):
        raise SettingsError(
            "The API key cannot be sent, so nothing was started.",
            f"From {origin}: it holds characters that no HTTP header can carry.",
            MAKE,
        )
    return Key(value=SecretStr("\n".join(lines)), origin=origin)


def _from_file(path: Path) -> str:
    """Return the value of the API_KEY=… line; quotes around it are dropped, as shells do."""
    for line in _text(path).splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.strip() == VARIABLE:
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            return value[1:-1] if quoted else value
    raise SettingsError("There is no API key, so nothing was started.", f"{path} has no API_KEY=… line.", HOW)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read.", str(error), HOW) from error
