"""What a step prints, made fit to be shown and kept: no control characters, no secret, a progress bar's last state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.machine.corporate import REDACTED, redacted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Shorter ones would blot out innocent words; longer files are bundles of certificates, which are public.
SHORTEST_SECRET, LONGEST_SECRET = 6, 4096
# Names of hosts, often `localhost` alone.
OPEN = "no_proxy"
# Colours and cursor movements; titles and links, which end with a bell or a backslash; the rest of that family.
ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]?")

# An address that is signed opens what it names for whoever has it: those of GitHub's cache and of buckets are.
SIGNED = re.compile(
    r"([?&](?:sig|X-Amz-(?:Signature|Credential|Security-Token)|token|access_token)=)[^&\s\"']+", re.IGNORECASE
)


def plain(line: str, hidden: Iterable[str] = ()) -> str:
    """Return a line as it looks in the end, on a terminal that knows no colours.

    Args:
        line: What a step printed up to the end of a line.
        hidden: What must not be seen.
    """
    if not line.isprintable():
        states = [state for state in ESCAPES.sub("", line).split("\r") if state.strip()]
        line = "".join(letter for letter in (states or [""])[-1].expandtabs() if letter.isprintable())
    for secret in hidden:
        line = line.replace(secret, REDACTED)
    return (SIGNED.sub(rf"\1{REDACTED}", redacted(line)) if "://" in line else line).rstrip()


def secrets_in(files: Iterable[Path]) -> tuple[str, ...]:
    """Return what must not be seen of the files that are given to steps as secrets, the longest first."""
    found = set[str]()
    for file in files:
        if file.name != OPEN and file.is_file() and file.stat().st_size <= LONGEST_SECRET:
            lines = (line.strip() for line in file.read_text("utf-8", "replace").splitlines())
            found.update(line for line in lines if len(line) >= SHORTEST_SECRET)
    return tuple(sorted(found, key=lambda secret: (-len(secret), secret)))
