"""Licences become SPDX where that is clear, and stay what they were where it is not."""

from __future__ import annotations

import pytest

from dockyard.sbom import licences


@pytest.mark.parametrize(
    ("synopsis", "wanted"),
    [
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("GPLv3+", "GPL-3.0-or-later"),
        ("GPL-3.0+", "GPL-3.0-or-later"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("AGPL-3", "AGPL-3.0-only"),
        ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
        ("Apache-2", "Apache-2.0"),
        ("bsd-2-clause", "BSD-2-Clause"),
        ("LGPL-3+ or GPL-2+", "LGPL-3.0-or-later OR GPL-2.0-or-later"),
        ("Sleepycat and BSD-3-clause", "Sleepycat AND BSD-3-Clause"),
        ("GPL-2+ and MIT or ISC", "GPL-2.0-or-later AND MIT OR ISC"),
        ("GPL", ""),
        ("LGPL", ""),
        ("GPL-3+ with Bison exception", ""),
        ("ISC and/or LGPL-2.1+", ""),
        ("GPL-1+ or Artistic, and Unicode", ""),
        ("public-domain", ""),
        ("MIT or permissive", ""),
    ],
)
def test_debian(synopsis, wanted):
    """A synopsis of DEP-5 is an expression if every part of it is clear."""
    assert licences.debian(synopsis) == wanted


def test_table_is_spdx():
    """Every name that is known stands for an id that SPDX has."""
    meant = {*licences.ALIASES.values(), *licences.CLASSIFIERS.values()}
    assert {each for each in meant if not licences.one(each).spdx or licences.one(each).text != each} == set()
