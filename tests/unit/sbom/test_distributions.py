"""Python distributions are listed wherever they are, as their own metadata has them."""

from __future__ import annotations

import json

import pytest

from dockyard import sbom
from images import file, whiteout
from unit.sbom.made import PATTERNS, SITE, bill, distribution, names, needs, one, read, texts


def test_distribution():
    """A distribution has its name as it writes it, its URL as indexes do, its folder, and who installed it."""
    found = bill(
        distribution("Foo_Bar", "1.0", "Summary: Does foo.", 'Author-email: "Ann, Dr." <a@x>, Bo <b@x>'),
        file(f"{SITE}/Foo_Bar-1.0.dist-info/INSTALLER", b"uv\n"),
        file(f"{SITE}/Foo_Bar-1.0.dist-info/direct_url.json", b'{"archive_info": {"hashes": {"sha256": "ab"}}}'),
    )
    got = one(found, "Foo_Bar")

    assert (got.version, got.purl, got.place) == ("1.0", "pkg:pypi/foo-bar@1.0", f"/{SITE}")
    assert (got.description, got.details["installer"], got.details["archive:sha256"]) == ("Does foo.", "uv", "ab")
    assert "Bo" in got.supplier
    assert "@" not in got.supplier


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("foo-1.0.dist-info/METADATA", "foo 1.0"),
        ("foo-9-py3.12.egg-info/PKG-INFO", "foo 1.0"),
        ("foo-9-py3.12.egg-info", "foo 1.0"),
    ],
)
def test_forms(form, told):
    """Installers leave metadata in three forms; what is in it is believed before the folder's name."""
    assert names(bill(distribution("foo", "1.0", form=form)), "pypi") == [told]


def test_every_place():
    """The same distribution in several folders is listed with each of them, and so is one in no site-packages."""
    found = bill(distribution("a", "1"), distribution("a", "1", site="usr/lib/python3/dist-packages"),
                 distribution("b", "2", site="function"))  # fmt: skip
    assert names(found, "pypi") == ["a 1", "a 1", "b 2"]
    assert len({each.ref for each in found.components}) == 3


def test_metadata_is_gone():
    """To delete METADATA makes no package disappear."""
    found = bill(file(f"{SITE}/foo-1.0.dist-info/RECORD", b""))
    assert names(found, "pypi") == ["foo 1.0"]


def test_nothing_in_metadata():
    """Where metadata says nothing, the name of its folder or file does, without the Python that an egg has."""
    found = bill(file(f"{SITE}/foo-9-py3.12.egg-info", b""), file(f"{SITE}/bar-1.0.dist-info/METADATA", b"Name: \n"))
    assert names(found, "pypi") == ["bar 1.0", "foo 9"]


def test_removed_by_a_later_layer():
    """What a later layer removes is in no container, and in no bill."""
    image = read(
        [distribution("a", "1"), distribution("b", "1")], [whiteout(f"{SITE}/a-1.dist-info"), distribution("b", "2")]
    )
    found = sbom.bill(image, PATTERNS)
    assert [each.told for each in found.of("pypi") if each.name == "a"] == []


LICENCES = [
    (["License-Expression: MIT OR Apache-2.0", "License: GPL"], ["MIT OR Apache-2.0"]),
    (["License-Expression: mit"], ["MIT"]),
    (["License-Expression: Nonsense-1.0 AND MIT"], ["?Nonsense-1.0 AND MIT"]),
    (["License: MIT License"], ["MIT"]),
    (["License: Apache License, Version 2.0"], ["Apache-2.0"]),
    (["License: 3-Clause BSD License"], ["BSD-3-Clause"]),
    (["License: BSD", "Classifier: License :: OSI Approved :: BSD License"], ["?BSD License"]),
    (["License: LICENSE.txt", "Classifier: License :: OSI Approved :: MIT License"], ["MIT"]),
    (["License: " + "words " * 40, "Classifier: License :: OSI Approved :: ISC License (ISCL)"], ["ISC"]),
    (["License: UNKNOWN", "Classifier: License :: OSI Approved"], []),
    (["License: MIT", "Classifier: License :: OSI Approved :: BSD License"], ["MIT"]),
    (["Classifier: License :: OSI Approved :: MIT License", "Classifier: License :: Public Domain"],
     ["?Public Domain", "MIT"]),
    (["License: Copyright (c) me\n  All rights\n\n        of mine"], ["?Copyright (c) me All rights"]),
    ([], []),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "wanted"), LICENCES)
def test_licences(headers, wanted):
    """The expression comes before the licence field, that before the classifiers; what is not clear stays words."""
    assert sorted(texts(one(bill(distribution("a", "1", *headers)), "a"))) == sorted(wanted)


def test_requirements():
    """A requirement leads to what is installed beside, if it holds here; extras lead on."""
    found = bill(
        distribution(
            "a", "1", "Requires-Dist: B.b>=1", 'Requires-Dist: old; python_version < "3.12"',
            'Requires-Dist: win; sys_platform == "win32"', "Requires-Dist: web[fast]", "Requires-Dist: gone",
            "Requires-Dist: not a requirement !",
        ),
        distribution("b-b", "1"), distribution("old", "1"), distribution("win", "1"),
        distribution("web", "1", 'Requires-Dist: quick; extra == "fast"', 'Requires-Dist: slow; extra == "slow"'),
        distribution("quick", "1"), distribution("slow", "1"),
        distribution("arm", "1", 'Requires-Dist: quick; platform_machine == "aarch64"'),
    )  # fmt: skip
    assert needs(found, "a") == ["b-b", "web"]
    assert needs(found, "web") == ["quick"]
    assert needs(found, "arm") == []


def test_requirements_of_the_image():
    """Markers are those of the image's Python and machine, not of ours."""
    lines = ('Requires-Dist: b; python_version < "3.12"', 'Requires-Dist: c; platform_machine == "aarch64"')
    old = "opt/lib/python3.11/site-packages"
    found = bill(*(distribution(name, "1", *lines, site=old) for name in "abc"), architecture="arm64")
    assert needs(found, "a") == ["b", "c"]


def test_requirements_stay_in_their_environment():
    """A requirement is not met by what another environment has."""
    found = bill(distribution("a", "1", "Requires-Dist: b"), distribution("b", "1", site="other/site-packages"))
    assert needs(found, "a") == []


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"vcs_info": 3}', json.dumps({"archive_info": None}).encode()])
def test_odd_origins(content):
    """Whatever is in direct_url.json, the distribution is listed."""
    found = bill(distribution("a", "1"), file(f"{SITE}/a-1.dist-info/direct_url.json", content))
    assert names(found, "pypi") == ["a 1"]
