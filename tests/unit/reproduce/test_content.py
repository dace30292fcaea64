"""What differs in two contents is named by the plainest reason that explains all of it."""

from __future__ import annotations

import os
import py_compile
import struct

import pytest

from dockyard.reproduce.content import seen
from dockyard.reproduce.difference import How
from dockyard.reproduce.shown import LINES, WIDTH, diff, line
from support import SECRET

NOW = 1_790_000_000
SINCE = NOW - 3600


def how(one: bytes, other: bytes, path: str = "/a") -> How:
    return seen(path, one, other, since=SINCE).how


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"Mon Nov 23 05:52:41 UTC 2026\n", b"Mon Nov 23 05:52:59 UTC 2026\n"),
        (b"built 2026-11-23T05:52:41Z", b"built 2026-11-24T06:00:00Z"),
        (b"2026-11-23 05:52:41.123456+00:00", b"2026-11-23 05:52:42.5+00:00"),
        (b"Date: Mon, 23 Nov 2026 05:52:41 +0000", b"Date: Tue, 24 Nov 2026 05:52:41 +0000"),
        (b'char *d = "Nov 23 2026", *t = "05:52:41";', b'char *d = "Nov 24 2026", *t = "05:52:42";'),
        (b"log-20261123055241.txt", b"log-20261123055259.txt"),
        (f"{NOW}".encode(), f"{NOW + 9}".encode()),
        (f"stamp={NOW}123456789;".encode(), f"stamp={NOW + 9}987654321;".encode()),
        (f'{{"at": {NOW}.25}}'.encode(), f'{{"at": {NOW + 9}.5}}'.encode()),
        (b"\0\1" + struct.pack("<I", NOW) + b"\2\xff", b"\0\1" + struct.pack("<I", NOW + 300) + b"\2\xff"),
        (b"\0\1" + struct.pack(">I", NOW) + b"\2\xff", b"\0\1" + struct.pack(">I", NOW + 70000) + b"\2\xff"),
    ],
)
def test_times(one, other):
    """Dates in the forms that tools write, and numbers of seconds of these days, are times."""
    assert how(one, other) is How.TIME


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"1000000000", b"1000000001"),
        (f"{NOW}".encode(), f"{NOW + 10**8}".encode()),
        (b"1.2.3", b"1.2.4"),
        (f"{NOW} a".encode(), f"{NOW + 9} b".encode()),
        (b"\0" + struct.pack("<I", 7), b"\0" + struct.pack("<I", 8)),
        (b"\0abc", b"\0ab"),
    ],
)
def test_no_times(one, other):
    """Numbers of other days, and times beside another difference, are no embedded time."""
    assert how(one, other) is How.CONTENT


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"built in /tmp/tmp.Ab3dEfGh1j\n", b"built in /tmp/tmp.Zz9dEfGh1k\n"),
        (b"\0/tmp/tmpab12cd34/x.c\0", b"\0/tmp/tmpzz99xx00/x.c\0"),
        (b"file:///var/tmp/pip-req-build-a1b2c3d4", b"file:///var/tmp/pip-req-build-z9y8x7w6"),
        (b"/srv/dockyard-ab12cd34/context/a.py", b"/srv/dockyard-zz99xx00/context/a.py"),
        (b"/tmp/a1/x at 2026-11-23", b"/tmp/b2/x at 2026-11-24"),
    ],
)
def test_paths(one, other):
    """Names of temporary folders, and of the build's own, are embedded paths."""
    assert how(one, other) is How.PATH


def test_order():
    """The same lines, or words, in another order are that, and a text diff shows them."""
    found = seen("/a", b"one\ntwo\nthree\n", b"two\none\nthree\n", since=SINCE)

    assert found.how is How.ORDER
    assert found.diff
    assert how(b"{'a', 'b'}", b"{'b', 'a'}") is How.ORDER


def test_random():
    """A random identifier is content, and said to look random."""
    found = seen(
        "/a", b"id 0b7d9b1e-3c1f-4ddc-9c4e-0d2f1f6a7b8c", b"id 5f6a7b8c-3c1f-4ddc-9c4e-0b7d9b1e0d2f", since=SINCE
    )

    assert (found.how, found.detail) == (How.CONTENT, "a random value is in its content")


def test_random_and_time():
    """A random identifier beside a time is told as both."""
    one, other = (
        f'{{"t": {NOW + number}.5, "id": "0b7d9b1e-3c1f-4ddc-9c4e-0d2f1f6a7b8{number}"}}'.encode() for number in (1, 2)
    )

    assert seen("/a", one, other, since=SINCE).detail == "random values and times are in its content"


def test_bytecode(tmp_path):
    """Of bytecode, the time and the size of its source are told apart, and what else differs is its content."""

    def compiled(text: str, moment: int, **given) -> bytes:
        source = tmp_path / "m.py"
        source.write_text(text)
        os.utime(source, (moment, moment))
        py_compile.compile(str(source), cfile=str(tmp_path / "m.pyc"), doraise=True, **given)
        return (tmp_path / "m.pyc").read_bytes()

    path = "/x/__pycache__/m.cpython-312.pyc"
    hashed = py_compile.PycInvalidationMode.UNCHECKED_HASH
    plain = compiled("a = 1\n", 1000)
    assert seen(path, plain, compiled("a = 1\n", 2000), since=SINCE).detail == "time of its source 1000 and 2000"
    size = seen(path, plain, compiled("a = 1\n\n", 1000), since=SINCE)
    assert (size.how, size.detail) == (How.BYTECODE, "size of its source 6 and 7")
    mode = seen(path, plain, compiled("a = 1\n", 1000, invalidation_mode=hashed), since=SINCE)
    assert (mode.how, mode.detail) == (How.BYTECODE, "it holds the time of its source and a hash of its source")
    assert how(plain, compiled("a = 2\n", 1000), path) is How.CONTENT


def test_diff_is_short():
    """A diff has a few lines, each cut, and says how many more there are."""
    told = diff("/a", b"x\n" * 50, b"y" * 500 + b"\n" + b"y\n" * 50)

    assert len(told) == LINES + 1
    assert told[-1].endswith("more lines")
    assert max(map(len, told)) <= WIDTH + 1
    assert diff("/a", b"\0one", b"\0two") == ()
    assert diff("/a", b"\xff", b"\xfe") == ()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/shadow", "root:{secret}:1"),
        ("/app/.env", "A={secret}"),
        ("/app/api_key", "{secret}"),
        ("/x/id_rsa", "{secret}"),
        ("/x/server.pem", "{secret}"),
        ("/a", "-----BEGIN RSA PRIVATE KEY-----\n{secret}"),
        ("/a", "password = {secret}"),
        ("/a", "https://me:{secret}@index.example.org/simple"),
        ("/a", "see {secret}"),
    ],
)
def test_no_secret_is_shown(path, text):
    """Nothing that sounds or looks like a secret gets into a diff."""
    told = diff(path, text.format(secret=SECRET).encode(), text.format(secret="").encode())

    assert told
    assert SECRET not in "\n".join(told)


def test_short_secret():
    """A line that names a secret is not shown, however short that is."""
    told = diff("/a", b"password = abc\n", b"password = xyz\n")

    assert told
    assert not any("abc" in each or "xyz" in each for each in told)


def test_nothing_that_a_terminal_obeys():
    """Control characters of a file do not reach the terminal."""
    assert "\x1b" not in line("\x1b[31mred")
