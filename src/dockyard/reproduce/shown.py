"""What of a difference is printed: a few short lines, and nothing that may be a secret."""

from __future__ import annotations

import difflib
import re

from dockyard.settings.fields import SECRET_NAME

LINES = 6
WIDTH = 120
# difflib takes the square of it.
COMPARED = 200
SECRET_FILES = re.compile(
    r".*/(shadow-?|gshadow-?|\.env(\..*)?|[._]netrc|\.pypirc|\.pgpass|\.htpasswd|\.git-credentials|id_\w+|ssh_host_.*"
    r"|[^/]+\.(pem|key|p12|pfx|jks|kdbx|ppk|keystore))"
)
PRIVATE = "PRIVATE KEY"
PASSWORD = re.compile(r"(://[^/\s:@]*:)[^@\s]+@")
# What tokens and keys look like; a digest does too.
TOKEN = re.compile(r"(?<![A-Za-z0-9+/_=-])(?=[A-Za-z+/_-]*\d)[A-Za-z0-9+/_-]{20,}={0,2}(?![A-Za-z0-9+/_=-])")


def is_secret(name: str, text: str = "") -> bool:
    """Whether a file or a variable sounds like a secret, or its text is a private key."""
    return bool(SECRET_NAME.search(name.rpartition("/")[2]) or SECRET_FILES.fullmatch(name)) or PRIVATE in text


def line(text: str) -> str:
    """Return a text as it can be printed: one line, cut, without control characters, passwords and tokens."""
    if SECRET_NAME.search(text):
        return "(not shown: it sounds like a secret)"
    safe = TOKEN.sub(lambda found: f"<{len(found[0])} letters>", PASSWORD.sub(r"\1…@", text))
    plain = "".join(each if each.isprintable() else "·" for each in safe.replace("\t", " "))
    return plain if len(plain) <= WIDTH else f"{plain[: WIDTH - 1]}…"


def is_text(data: bytes) -> bool:
    """Whether bytes are text."""
    if b"\0" in data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def diff(name: str, one: bytes, other: bytes) -> tuple[str, ...]:
    """Return the first lines in which two texts differ; nothing of what is no text or may be a secret."""
    if not (is_text(one) and is_text(other)):
        return ()
    texts = one.decode(), other.decode()
    if any(is_secret(name, text) for text in texts):
        return ("(not shown: it sounds like a secret)",)
    sides = [text.splitlines() for text in texts]
    same = next((at for at, (a, b) in enumerate(zip(*sides, strict=False)) if a != b), min(map(len, sides)))
    parts = [side[same : same + COMPARED] for side in sides]
    changed = list(difflib.unified_diff(parts[0], parts[1], n=0, lineterm=""))[2:]
    told = [each[0] + line(each[1:]) for each in changed if not each.startswith("@@")]
    more = len(told) - LINES
    return (*told[:LINES], *([f"… {more} more lines"] if more > 0 else []))
