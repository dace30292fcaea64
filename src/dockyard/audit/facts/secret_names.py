"""Which names and values are secrets, for rules that read variables, arguments and labels."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from dockyard.audit.patterns import PATTERNS
from dockyard.settings.fields import SECRET_NAME

# Named like a secret, and none: public keys, places of secrets, and what official images say of their own sources.
PUBLIC_NAME = re.compile(
    r".*PUBLIC_?KEY.*|.*FINGERPRINT|.*GPG_?KEYS?|.*KEY(RING|SERVER|BOARD|SPACE)(_.*)?|(MAX|MIN|NUM)_.*"
    r"|.*_(FILE|PATH|DIR|URL|VERSION|NAME|HEADER|LENGTH|SIZE|LIMIT|COUNT|TTL|SECONDS|TIMEOUT|EXPIRY|ALGORITHM)",
    re.IGNORECASE,
)
# A reference to what is known at run time only, a word that says nothing, or the fingerprint of a public GPG key.
NO_VALUE = re.compile(
    r"|\$.*|<.*>|\{+.*\}+|/.*|true|false|yes|no|on|off|none|null|\d{1,6}|(?-i:[0-9A-F]{40})", re.IGNORECASE | re.DOTALL
)
PASSWORDS = re.compile(r"PASSW|PIN\b", re.IGNORECASE)
URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.IGNORECASE)
HIDDEN = "…"


def secret_name(name: str) -> bool:
    """Whether a name sounds like that of a secret, and not like that of a secret's file or a public key."""
    return bool(SECRET_NAME.search(name)) and not PUBLIC_NAME.fullmatch(name)


def secret_pair(name: str, value: str) -> bool:
    """Whether a variable has a secret: its name sounds like one, and its value is more than a switch or a path."""
    plain = value.strip().strip("\"'")
    said = bool(plain) and not NO_VALUE.fullmatch(plain)
    return secret_name(name) and (said or (plain.isdigit() and bool(PASSWORDS.search(name))))


def shape(value: str) -> str | None:
    """Return the name of the kind of secret that a text holds, or None."""
    if with_credentials(value):
        return "URL with a password"
    raw = value.encode("utf-8", "surrogateescape")
    return next((each.name for each in PATTERNS if re.search(each.regex, raw)), None)


def with_credentials(value: str) -> bool:
    """Whether a text holds a URL with a password, or with a token for a user."""
    return any(_userinfo(each) for each in URL.findall(value))


def _userinfo(url: str) -> bool:
    try:
        parts = urlsplit(url)
        user, password = parts.username or "", parts.password
    except ValueError:
        return False
    if password:
        return not NO_VALUE.fullmatch(password)
    return parts.scheme in ("http", "https") and bool(user) and not NO_VALUE.fullmatch(user)
