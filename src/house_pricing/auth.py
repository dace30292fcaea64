"""Which keys are accepted, and whether a given one is among them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from house_pricing.limits import RateLimit
from house_pricing.problems import ProblemError
from house_pricing.settings import SettingsError

if TYPE_CHECKING:
    from fastapi import Request

    from house_pricing.logs import Log
    from house_pricing.settings import Settings

HEADER = "X-API-Key"
PRODUCTION_LENGTH = 32
PRODUCTION_VARIETY = 8  # different characters: `changeme` has seven, however often it is repeated
PUBLIC = "not-for-production"


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


class Gate:
    """Who is let in, and how often: one object per application.

    Args:
        settings: Name the keys and the rate.

    Raises:
        SettingsError: The key file or a key cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = read_keys(settings)
        self._rate = RateLimit(settings.rate_limit)

    @property
    def is_open(self) -> bool:
        """Whether nobody needs a key."""
        return self._keys is None

    def admit(self, request: Request) -> None:
        """Let a request in.

        Raises:
            ProblemError: 401 without a good key, 429 for too many requests of one key, or of one address without.
        """
        given = request.headers.get(HEADER)
        accepted = self._keys is not None and self._keys.accept(given)
        self._rate.take(_digest(given or "") if accepted else request.client.host if request.client else None)
        if not accepted and self._keys is not None:
            scheme = {"WWW-Authenticate": f'ApiKey realm="house-pricing-api", header="{HEADER}"'}
            raise ProblemError(401, f"A valid key is needed in the header {HEADER}.", headers=scheme)

    def reread(self, log: Log) -> None:
        """Take the keys that API_KEY_FILE holds now; where it holds none that can be used, the old ones stay."""
        if not self._settings.api_key_file:
            log.event("info", "keys_kept", message="there is no API_KEY_FILE to read again")
            return
        try:
            self._keys = read_keys(self._settings)
        except SettingsError as error:
            log.event("error", "keys_kept", message="; ".join(error.problems))
        else:
            log.event("info", "keys_read", count=len(self._keys.digests) if self._keys else 0)


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
        if fault := _fault(key, settings.api_env):
            problems.append(f"{name}: key {number} {fault}")
    if problems:
        raise SettingsError(problems)
    return Keys(tuple(_digest(key) for key in keys))


def _fault(key: str, api_env: str) -> str:
    """What is wrong with a key, without the key; empty if nothing is."""
    if not (key.isascii() and key.isprintable() and " " not in key):
        return "holds characters that a header cannot carry"
    if api_env != "production":
        return ""
    if len(key) < PRODUCTION_LENGTH:
        return f"has {len(key)} characters; API_ENV=production asks for {PRODUCTION_LENGTH}"
    if PUBLIC in key.lower():
        return f"is a public one, {PUBLIC}; API_ENV=production asks for a secret one"
    if len(set(key)) < PRODUCTION_VARIETY:
        return f"has {len(set(key))} different characters; API_ENV=production asks for {PRODUCTION_VARIETY}"
    return ""


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
