"""apk's packages are listed as apk has them."""

from __future__ import annotations

import pytest

from images import file, symlink
from unit.sbom.made import ALPINE, bill, names, needs, one, texts

INSTALLED = """\
C:Q1abc=
P:musl
V:1.2.5-r0
A:x86_64
L:MIT
T:the musl c library
o:musl
m:Timo <t@example.org>
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1

P:busybox
V:1.36.1-r29
A:x86_64
L:GPL-2.0-only AND MIT
o:busybox
D:so:libc.musl-x86_64.so.1 !ssl_client>1 gone busybox
p:cmd:sh=1.36

P:ssl_client
V:1.36.1-r29
A:x86_64
L:custom
o:busybox
D:busybox>=1 cmd:sh
"""


@pytest.mark.parametrize("path", ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
def test_packages(path):
    """Each package has version, URL, licence and what it needs, by name and by what another provides."""
    found = bill(ALPINE, file(path, INSTALLED.encode()))

    assert names(found, "apk") == ["busybox 1.36.1-r29", "musl 1.2.5-r0", "ssl_client 1.36.1-r29"]
    assert one(found, "musl").purl == "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3"
    assert one(found, "ssl_client").purl.endswith("&upstream=busybox")
    assert (one(found, "musl").supplier, one(found, "musl").details["checksum"]) == ("Timo", "Q1abc=")
    assert texts(one(found, "busybox")) == ["GPL-2.0-only AND MIT"]
    assert texts(one(found, "ssl_client")) == ["?custom"]
    assert needs(found, "busybox") == ["musl"]
    assert needs(found, "ssl_client") == ["busybox"]


def test_linked_folder():
    """Where /lib is a link to /usr/lib, each package is listed once."""
    found = bill(symlink("lib", "usr/lib"), file("usr/lib/apk/db/installed", INSTALLED.encode()))
    assert len(found.of("apk")) == 3
