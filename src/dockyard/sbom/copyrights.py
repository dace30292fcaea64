"""Debian's copyright files -> licences: the machine-readable ones of DEP-5, and what the others refer to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.sbom import paragraphs
from dockyard.sbom.bill import Licence
from dockyard.sbom.licences import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = re.compile(
    rb"\A(?:[^\n]*\n){0,20}?Format(-Specification)?:[ \t]*\S*copyright[-/]format|\AFormat:[^\n]*dep-?5", re.I
)
COMMON = re.compile(r"/usr/share/common-licenses/([A-Za-z]+(?:-\d(?:\.\d+)*)?)")


def licences(content: bytes) -> tuple[Licence, ...]:
    """Return every licence that a copyright file names, sorted.

    Of one that no machine is meant to read, these are the common licences that it refers to, by Debian's names: which
    versions of them may be taken is in its prose.
    """
    if FORMAT.search(content):
        found = {each for words in _synopses(content) for each in listed(words)}
    else:
        found = {Licence(name, spdx=False) for name in COMMON.findall(content.decode("utf-8", "replace"))}
    return tuple(sorted(found))


def _synopses(content: bytes) -> Iterator[str]:
    """Yield the first line of each licence that some files are under; a paragraph without files only has its text."""
    for number, fields in enumerate(paragraphs.read(content)):
        synopsis = fields.get("license", "").partition("\n")[0].strip()
        if synopsis and (number == 0 or "files" in fields):
            yield synopsis
