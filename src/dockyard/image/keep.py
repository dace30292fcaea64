"""Which files' bytes are kept: what says who is in the image, what starts in it, and what has a digest."""

from __future__ import annotations

import re

NAMED = re.compile(
    r"/etc/(passwd|group|shadow|os-release)|/usr/lib/os-release|/var/lib/dpkg/(status|status\.d/[^/]+)"
    r"|(/usr)?/lib/apk/db/installed"
    r"|.*\.sha256|.*/SHA256SUMS|.*\.dist-info/(METADATA|RECORD|INSTALLER|direct_url\.json|WHEEL)|.*/pyvenv\.cfg"
)
# What comes with Python or from an index is known by its name and version.
FOREIGN = re.compile(r".*/(site|dist)-packages/|/usr/(local/)?lib/python3")
MAX_SCRIPT = 64 << 10
MAX_SOURCE = 256 << 10


def keep_known(path: str, size: int, begin: bytes) -> bool:
    """Whether a file is one of the system's or a distribution's records, a script, or the service's own source.

    Args:
        path: In the image.
        size: In bytes.
        begin: Its first bytes.
    """
    if NAMED.fullmatch(path):
        return True
    if begin.startswith(b"#!") and size < MAX_SCRIPT:
        return True
    return path.endswith(".py") and size <= MAX_SOURCE and not FOREIGN.match(path)
