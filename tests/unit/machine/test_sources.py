from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.machine import sources
from dockyard.machine.sources import Source
from unit.machine.conftest import DEBIAN_11, DEBIAN_12, UBUNTU_24, system

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = Source(
    uris=("http://mirror.example/debian",),
    suites=("bookworm", "bookworm-updates"),
    components=("main",),
    signed_by=KEYRING,
)


def source(uri: str = "http://a", suites: str = "s", components: str = "main", **more) -> Source:
    return Source(uris=tuple(uri.split()), suites=tuple(suites.split()), components=tuple(components.split()), **more)


def stanza(types: str = "deb", uris: str = "http://a") -> str:
    return f"Types: {types}\nURIs: {uris}\nSuites: s\nComponents: main\n"


SECURITY = source("http://mirror.example/debian-security", "bookworm-security", signed_by=KEYRING)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param(DEBIAN_12, [MIRROR, SECURITY], id="debian-12"),
        pytest.param(
            UBUNTU_24,
            [
                source(
                    "http://archive.example/ubuntu/",
                    "noble noble-updates noble-backports",
                    "main restricted universe multiverse",
                    signed_by="/usr/share/keyrings/ubuntu-archive-keyring.gpg",
                )
            ],
            id="ubuntu-24",
        ),
        pytest.param(
            stanza(types="deb deb-src", uris="http://a/x https://b"), [source("http://a/x https://b")], id="uris"
        ),
        pytest.param(stanza() + "Trusted: yes\n", [source("http://a", trusted=True)], id="trusted"),
        pytest.param(stanza().lower(), [source("http://a")], id="small-letters"),
        pytest.param(stanza(uris="\n http://a\n http://b"), [source("http://a http://b")], id="folded"),
        pytest.param(
            stanza() + "Signed-By:\n -----BEGIN-----\n .\n abc=\n -----END-----\n",
            [source("http://a", signed_by="-----BEGIN-----\n.\nabc=\n-----END-----")],
            id="embedded-key",
        ),
        pytest.param(stanza(types="deb-src"), [], id="sources-only"),
        pytest.param("Enabled: no\n" + stanza(), [], id="disabled"),
        pytest.param("\n\n# nothing\n\n", [], id="empty"),
    ],
)
def test_deb822(tmp_path, text, read):
    """The enabled binary stanzas of a .sources file are read, whatever their layout."""
    root = system(tmp_path / "root", "debian", "bookworm", any=text)

    assert sources.read_sources(root) == tuple(read)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param(
            DEBIAN_11,
            [
                source("http://mirror.example/debian/", "bullseye", "main contrib"),
                source("http://mirror.example/debian/", "bullseye-updates"),
                source("http://mirror.example/debian-security", "bullseye-security"),
            ],
            id="debian-11",
        ),
        pytest.param("deb [arch=amd64 signed-by=/k.gpg] http://a s main", [source(signed_by="/k.gpg")], id="signed-by"),
        pytest.param("deb [ trusted=yes ] http://a s main", [source(trusted=True)], id="trusted"),
        pytest.param("#deb http://a s main\n  # deb http://b s main", [], id="commented"),
        pytest.param("deb http://a ./\n", [], id="flat"),
    ],
)
def test_one_line(tmp_path, text, read):
    """The binary lines of sources.list are read with their options."""
    root = system(tmp_path / "root", "debian", "bullseye", one_line=text)

    assert sources.read_sources(root) == tuple(read)


def test_files(tmp_path):
    """Every file that apt reads is read, in apt's order, and no other."""
    root = system(
        tmp_path / "root", "debian", "s", one_line="deb http://1 s main", b="Types: deb\nURIs: http://3\nSuites: s\n"
    )
    folder = root / "etc/apt/sources.list.d"
    (folder / "a.list").write_text("deb http://2 s main")
    (folder / "c.list.save").write_text("deb http://4 s main")

    assert [each.uris[0] for each in sources.read_sources(root)] == ["http://1", "http://2", "http://3"]


def test_no_apt(tmp_path):
    """A machine without apt has no sources and no name."""
    assert sources.read_sources(tmp_path) == ()
    assert sources.read_os_release(tmp_path) == {}


def test_os_release(root):
    """Quotes are taken off, comments are no values."""
    assert sources.read_os_release(root) == {
        "PRETTY_NAME": "Some Debian",
        "ID": "debian",
        "VERSION_CODENAME": "bookworm",
    }


OTHERS = source("http://vendor.example/tools", "bookworm", signed_by="/etc/apt/keyrings/vendor.gpg")
PLAIN = source("http://mirror.example/debian", "bookworm")
UPDATES = source("http://mirror.example/debian", "bookworm-updates")
SIGNED = replace(PLAIN, signed_by=KEYRING)
DISK = source("cdrom:[Debian]/", "bookworm", signed_by=KEYRING)


@pytest.mark.parametrize(
    ("known", "found"),
    [
        pytest.param([OTHERS, MIRROR], MIRROR, id="both"),
        pytest.param([OTHERS, SIGNED], SIGNED, id="keyring"),
        pytest.param([OTHERS, PLAIN, UPDATES], PLAIN, id="updates-beside-it"),
        pytest.param([DISK, PLAIN], PLAIN, id="installation-disk"),
        pytest.param([PLAIN, replace(PLAIN, uris=("http://second",))], PLAIN, id="first-of-equals"),
        pytest.param([source("http://vendor.example/docker", "bookworm", "stable")], None, id="no-main"),
        pytest.param([source("http://mirror.example/debian", "trixie")], None, id="other-suite"),
    ],
)
def test_archive(known, found):
    """The distribution's own entry is told from others that publish for the same suite."""
    assert sources.archive(tuple(known), "bookworm") == found


@pytest.mark.parametrize(
    ("own", "later"),
    [("bullseye", "bookworm"), ("bookworm", "trixie"), ("trixie", "forky"), ("forky", None), ("noble", None)],
)
def test_following(own, later):
    """The next suite of a Debian suite is known, and of nothing else."""
    assert sources.following(own) == later


@pytest.mark.parametrize("text", [DEBIAN_12, stanza() + "Trusted: yes\nSigned-By:\n K\n .\n L\n"])
def test_written_back(tmp_path, text):
    """A stanza that we write is read as what it was."""
    first = sources.read_sources(system(tmp_path / "one", "debian", "s", any=text))
    again = sources.read_sources(
        system(tmp_path / "two", "debian", "s", any="\n".join(each.stanza() for each in first))
    )

    assert again == first


def test_debian_stanzas_of_another_suite(tmp_path):
    """The suite wanted is taken from this machine's mirror, with its updates and its security."""
    root = system(tmp_path / "root", "debian", "bullseye", one_line=DEBIAN_11)

    assert sources.debian_stanzas(root, "bookworm") == (
        "Types: deb\nURIs: http://mirror.example/debian/\nSuites: bookworm\nComponents: main\n\n"
        "Types: deb\nURIs: http://mirror.example/debian/\nSuites: bookworm-updates\nComponents: main\n\n"
        "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main\n"
    )


@pytest.mark.parametrize(
    ("name", "codename", "text"),
    [
        pytest.param("ubuntu", "noble", UBUNTU_24, id="ubuntu"),
        pytest.param("debian", "bookworm", "", id="no-sources"),
        pytest.param("debian", "sid", DEBIAN_12, id="unknown-suite"),
    ],
)
def test_no_debian_mirror(tmp_path, name, codename, text):
    """Where no Debian mirror is known there are no Debian sources."""
    assert sources.debian_stanzas(system(tmp_path / "root", name, codename, any=text), "bookworm") is None


def test_credentials():
    """A mirror's user name and password are taken out of what goes into an image; all else stays."""
    text = "URIs: https://user:p%40ss@mirror.example/debian http://open.example/x\n"

    assert sources.without_credentials(text) == "URIs: https://mirror.example/debian http://open.example/x\n"
