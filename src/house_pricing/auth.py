"""Which keys are accepted, and whether a given one is among them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from house_pricing.settings import SettingsError

if TYPE_CHECKING:
    from house_pricing.settings import Settings

HEADER = "X-API-Key"
PRODUCTION_LENGTH = 32


@dataclass(frozen=True)
class Keys:
    """The accepted keys, kept as digests only.

    Digests have one length, so that comparing them tells nothing about the length of a key either.
    """

    digests: tuple[bytes, ...]

    def accept(self, given: str | None) -> bool:
        """Whether the key is one of ours; every key is compared, whichever fits first."""
        digest = _digest(given or "")
        return sum([hmac.compare_digest(digest, known) for known in self.digests]) > 0


def read_keys(settings: Settings) -> Keys | None:
    """The keys from API_KEY or API_KEY_FILE; none where AUTH=off.

    Raises:
        SettingsError: The file cannot be read, or a key cannot be used. The key itself is never shown.
    """
    if settings.auth == "off":
        return None
    name, text = _source(settings)
    keys = [line.strip() for line in text.splitlines() if line.strip()]
    problems = [] if keys else [f"{name}: holds no key"]
    for number, key in enumerate(keys, start=1):
        if not (key.isascii() and key.isprintable() and " " not in key):
            problems.append(f"{name}: key {number} holds characters that a header cannot carry")
        elif settings.api_env == "production" and len(key) < PRODUCTION_LENGTH:
            problems.append(
                f"{name}: key {number} has {len(key)} characters; API_ENV=production asks for {PRODUCTION_LENGTH}"
            )
    if problems:
        raise SettingsError(problems)
    return Keys(tuple(_digest(key) for key in keys))


def _source(settings: Settings) -> tuple[str, str]:
    if settings.api_key:
        return "API_KEY", settings.api_key
    try:
        return "API_KEY_FILE", Path(settings.api_key_file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SettingsError([f"API_KEY_FILE: {settings.api_key_file} is not text"]) from None
    except OSError as error:
        raise SettingsError([f"API_KEY_FILE: {settings.api_key_file}: {error.strerror}"]) from None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
