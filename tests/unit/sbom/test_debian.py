"""dpkg's packages are listed as dpkg has them."""

from __future__ import annotations

import pytest

from images import file, symlink
from unit.sbom.made import DEBIAN, bill, names, needs, one, package, status, texts

DEP5 = b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"


def test_package():
    """A package has its version, its URL with architecture and release, who maintains it, and its source."""
    (got,) = bill(
        DEBIAN,
        status(
            package(
                "libstdc++6", "12.2.0-14", Source="gcc-12 (12.2.0)", Maintainer="GCC <gcc@debian.org>",
                Description="GNU C++\n long text",
            )
        ),
    ).of("deb")  # fmt: skip

    assert (got.name, got.version, got.place) == ("libstdc++6", "12.2.0-14", "/var/lib/dpkg/status")
    assert got.purl == "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0"
    assert (got.supplier, got.description, got.details["source"]) == ("GCC", "GNU C++", "gcc-12 12.2.0")


@pytest.mark.parametrize(
    ("state", "there"),
    [
        ("install ok installed", True),
        ("install ok half-configured", True),
        ("hold ok installed", True),
        ("deinstall ok config-files", False),
        ("unknown ok not-installed", False),
    ],
)
def test_states(state, there):
    """A package of which files are there is listed; one of which but the settings are left is not."""
    assert bool(bill(status(package("a", Status=state))).of("deb")) is there


def test_distroless():
    """Images without dpkg have a file for each package, which is read; lists of digests beside them are not."""
    found = bill(
        file("var/lib/dpkg/status.d/tzdata", package("tzdata", "2026a").encode()),
        file("var/lib/dpkg/status.d/tzdata.md5sums", b"d41d8cd98f00b204e9800998ecf8427e  usr/share/x\n"),
    )
    assert names(found, "deb") == ["tzdata 2026a"]


def test_two_architectures():
    """One package for two architectures is two."""
    found = bill(status(package("libc6"), package("libc6", Architecture="i386")))
    assert len({each.ref for each in found.of("deb")}) == 2


def test_dependencies():
    """What a package depends on leads to what is there: by alternative, by what it provides, without what is not."""
    found = bill(
        status(
            package("a", Depends="b (>= 1) , gone | c:any, mail-agent, a", Pre_Depends="d"),
            package("b", Depends="a"),
            package("c"),
            package("d"),
            package("postfix", Provides="mail-agent (= 3), smtp"),
            package("e", Recommends="a"),
        )
    )
    assert needs(found, "a") == ["b", "c", "d", "postfix"]
    assert needs(found, "b") == ["a"]
    assert needs(found, "e") == []
    assert found.roots == (one(found, "a").ref, one(found, "e").ref)


def test_circles():
    """Packages that want each other, and that nothing else wants, are led to by one of them."""
    found = bill(status(package("a", Depends="b"), package("b", Depends="a"), package("c", Depends="d"), package("d")))
    assert found.roots == (one(found, "a").ref, one(found, "c").ref)


def test_real_before_provided():
    """Where one package has a name and another provides it, the name is the first one's."""
    found = bill(status(package("z", Provides="a"), package("a"), package("b", Depends="a")))
    assert needs(found, "b") == ["a"]


COPYRIGHTS = [
    (DEP5 + b"\nFiles: *\nLicense: Expat\n text\n", ["MIT"]),
    (DEP5 + b"\nFiles: *\nLicense: GPL-2+\n\nFiles: b\nLicense: BSD-3-clause\n", ["BSD-3-Clause", "GPL-2.0-or-later"]),
    (DEP5 + b"\nFiles: *\nLicense: GPL-2 and ISC\n\nFiles: b\nLicense: ISC\n", ["GPL-2.0-only", "ISC"]),
    (DEP5 + b"\nFiles: *\nLicense: GPL-1+ or Artistic\n", ["GPL-1.0-or-later OR Artistic-1.0"]),
    (DEP5 + b"\nFiles: *\nLicense: public-domain\n nobody's\n", ["?public-domain"]),
    (DEP5 + b"\nFiles: *\nLicense: GPL-2+, and MIT\n", ["?GPL-2+, and MIT"]),
    (DEP5 + b"License: ISC\n\nFiles: *\nCopyright: me\n", ["ISC"]),
    (DEP5 + b"\nFiles: *\nLicense: Expat\n\nLicense: GPL-3\n text that nothing is under\n", ["MIT"]),
    (b"Format: http://svn.debian.org/wsvn/dep/web/deps/dep5.mdwn\nFiles: *\nLicense: MIT\n", ["MIT"]),
    (b"GNU software. See /usr/share/common-licenses/GPL-3.\n", ["?GPL-3"]),
    (b"`/usr/share/common-licenses/LGPL' and /usr/share/common-licenses/LGPL-2.1.\n", ["?LGPL", "?LGPL-2.1"]),
    (b"Do what you like.\n", []),
]


@pytest.mark.parametrize(("content", "wanted"), COPYRIGHTS)
def test_licences(content, wanted):
    """A copyright file for machines gives SPDX where that is clear; of another, what it refers to is named."""
    found = bill(status(package("a")), file("usr/share/doc/a/copyright", content))
    assert texts(one(found, "a")) == wanted


def test_copyright_of_another():
    """Packages of one source may share a folder of documents by a link."""
    found = bill(
        status(package("liba"), package("a")),
        file("usr/share/doc/a/copyright", DEP5 + b"\nFiles: *\nLicense: ISC\n"),
        symlink("usr/share/doc/liba", "a"),
    )
    assert texts(one(found, "liba")) == ["ISC"]
