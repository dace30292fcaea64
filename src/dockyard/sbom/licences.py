"""Licences as packagers write them -> SPDX expressions, where that is clear; else the words stay as they are."""

from __future__ import annotations

import re
from functools import lru_cache

from dockyard.sbom.bill import Licence

# What is written for licences that SPDX has, and that are not their ids but for large and small letters.
ALIASES = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "artistic": "Artistic-1.0",
    "artistic-2": "Artistic-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsl-1": "BSL-1.0",
    "cc0": "CC0-1.0",
    "expat": "MIT",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
    "psf-2": "PSF-2.0",
    "the mit license": "MIT",
    "the mit license (mit)": "MIT",
    "the unlicense (unlicense)": "Unlicense",
}
# Of Python's classifiers, those that name one licence; `BSD License` or `Apache Software License` name several.
CLASSIFIERS = {
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "zlib/libpng License": "Zlib",
}
GNU = re.compile(
    r"(?P<name>A?GPL|LGPL|GFDL)(?P<niv>-NIV)?[- ]?v?(?P<number>\d(?:\.\d)?)(?:\.0)?(?P<later>\+)?", re.IGNORECASE
)
JOINED = re.compile(r",?\s+(and/or|and|or)\s+", re.IGNORECASE)
LONGEST = 200


def one(text: str) -> Licence:
    """Return what a person wrote as a licence: an expression, an id, one of its known names, or just words."""
    words = " ".join(text.split())[:LONGEST]
    return Licence(_expression(words), spdx=True) if _expression(words) else Licence(words, spdx=False)


def listed(words: str) -> tuple[Licence, ...]:
    """Return a Debian synopsis: `GPL-2+ and BSD-3-clause` are two licences, `GPL-1+ or Artistic` is a choice."""
    expression = debian(words)
    if not expression:
        return (one(words),)
    parts = [expression] if " OR " in expression else expression.split(" AND ")
    return tuple(Licence(each, spdx=True) for each in parts)


@lru_cache(maxsize=4096)
def debian(words: str) -> str:
    """Return the SPDX expression that a synopsis of DEP-5 means; empty if any part of it is not clear."""
    text = " ".join(words.split())
    # A comma binds weaker than the words do, and `and/or` is a choice of its own kind: neither is guessed at.
    if "," in text or "and/or" in text.lower():
        return ""
    parts = JOINED.split(text)
    names, joints = parts[::2], {each.upper() for each in parts[1::2]}
    ids = [_id(each) for each in names]
    if not all(ids):
        return ""
    # `and` binds closer than `or`, in DEP-5 and in SPDX.
    told = "".join(f" {part.upper()} " if at % 2 else _id(part) for at, part in enumerate(parts))
    return told if joints else ids[0]


@lru_cache(maxsize=4096)
def _expression(text: str) -> str:
    """Return the SPDX expression that a text is, spelled as SPDX does, or the id that it means."""
    found = _id(text)
    if found or not re.search(r"\s(AND|OR|WITH)\s", text):
        return found
    from cyclonedx.spdx import is_expression  # noqa: PLC0415 - reads the list of licences

    return text if is_expression(text) else ""


@lru_cache(maxsize=4096)
def _id(text: str) -> str:
    """Return the SPDX id that a name means; empty if it means none."""
    from cyclonedx.spdx import fixup_id  # noqa: PLC0415 - reads the list of licences

    name = ALIASES.get(text.lower(), text)
    gnu = GNU.fullmatch(name)
    if gnu:
        number = gnu["number"] if "." in gnu["number"] else f"{gnu['number']}.0"
        free = "-no-invariants" if gnu["niv"] else ""
        name = f"{gnu['name'].upper()}-{number}{free}-{'or-later' if gnu['later'] else 'only'}"
    return fixup_id(name) or ""


def classified(name: str) -> Licence:
    """Return what a classifier of a Python distribution says, without `License :: ` and `OSI Approved :: `."""
    expression = CLASSIFIERS.get(name, "")
    return Licence(expression, spdx=True) if expression else Licence(name, spdx=False)
