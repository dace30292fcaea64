from __future__ import annotations

import hashlib
import random

import pytest

from dockyard.errors import SettingsError
from dockyard.image import Pattern, notes, read, scan
from images import Saved, archive, file, image_of, streamed, tar, whiteout
from support import sentences

KEY = b"AKIAIOSFODNN7ABCDEFG"
AWS = Pattern(name="aws", triggers=(b"AKIA", b"ASIA"), regex=rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", text_only=True)
ANYWHERE = Pattern(name="aws", triggers=AWS.triggers, regex=AWS.regex, text_only=False)
URL = Pattern(name="url", triggers=(b"://",), regex=rb"[a-z]+://\w+:\w+@", text_only=False)
DIGITS = Pattern(name="digits", triggers=(b"0000",), regex=rb"id0000\d+", text_only=True)


def found(*layers, patterns=(AWS,)):
    """Return the matches of an image."""
    return image_of(*layers, patterns=patterns).matches


def test_match():
    """A match is told by pattern, layer, path, place and fingerprint, in files that a later layer deletes too."""
    (match,) = found([file("a")], [file("etc/key", b"id = " + KEY + b"\n")], [whiteout("etc/key")])

    assert (match.pattern, match.layer, match.path, match.offset, match.length) == ("aws", 1, "/etc/key", 5, 20)
    assert match.fingerprint == hashlib.sha256(KEY).hexdigest()[:12]
    assert KEY.decode() not in repr(match)


def test_never_kept():
    """The value itself is nowhere in the image, unless the file was asked for."""
    image = image_of([file("key", KEY)], patterns=[AWS], keep=lambda *_: False)

    assert image.matches
    assert KEY.decode() not in repr(image)
    assert KEY.decode() not in "".join(map(repr, (image.files, image.layers[0].entries, image.kept, image.contents)))


@pytest.mark.parametrize(
    ("data", "text", "anywhere"),
    [
        (KEY, 1, 1),
        (b"\0" + KEY, 0, 1),
        (b"x " * 4095 + b"\0 " + KEY, 0, 1),
        (b"x " * 4096 + b"\0 " + KEY, 1, 1),
        (KEY + b" and " + KEY, 2, 2),
        (b"AKIA" + b" AKIA" * 1000 + b" " + KEY, 1, 1),
        (KEY[:-1], 0, 0),
        (KEY.lower(), 0, 0),
        (b"", 0, 0),
    ],
    ids=range(9),
)
def test_text_only(data, text, anywhere):
    """A pattern for texts leaves out files with a NUL in the first 8 kB, and no others."""
    assert len(found([file("a", data)])) == text
    assert len(found([file("a", data)], patterns=[ANYWHERE])) == anywhere


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("size", [300_000, 1_500_000])
def test_large_files(text, size):
    """In a file that comes in pieces every match is found once, at its place, over every edge."""
    rng = random.Random(size)
    filler = bytearray(rng.choices(b"abc \n", k=size)) if text else bytearray(size)
    places = sorted(rng.sample(range(0, size - 100, 50), 400))
    for at in places:
        filler[at : at + 22] = b" " + KEY + b" "
    layer = tar(file("big", bytes(filler)))
    for step in (1 << 16, 999):
        image = read(streamed(archive(Saved(layers=[layer], compression="none").oci()), step), patterns=[ANYWHERE, AWS])
        per = 2 if text else 1
        assert [match.offset for match in image.matches] == [at + 1 for at in places for _ in range(per)]
        assert {match.length for match in image.matches} == {20}


@pytest.mark.parametrize("seed", range(20))
def test_pieces(seed):
    """However a file is cut into pieces, its matches are those that it has in one."""
    rng = random.Random(seed)
    data = b"".join(
        rng.choice([KEY + b" ", b" " * rng.randint(1, 2000), b"AKIA ", b"id0000" + b"7" * rng.randint(0, 4000) + b" "])
        for _ in range(60)
    )
    scanner = scan.Scanner([AWS, DIGITS], notes.Notes())
    size = rng.choice([50, 700, 5000, 20_000])
    starts = range(0, len(data), size)
    parts = scanner.parts("/a", (data, 0, min(size, len(data))))
    for start in starts:
        parts.feed(data, start, min(start + size, len(data)), last=start == starts[-1])

    assert len(parts.found) > 5
    assert sorted(parts.found, key=lambda match: match.offset) == sorted(
        scanner.whole("/a", data, 0, len(data)), key=lambda match: match.offset
    )


def test_neighbours_are_no_part():
    """What stands beside a file in the archive is not taken for a part of it."""
    assert len(found([file("a", b"AKIA"), file("b", KEY[4:]), file("c" + KEY.decode(), b"-" + KEY)])) == 1
    start = Pattern(name="start", triggers=(b"begin",), regex=rb"\Abegin\Z", text_only=False)
    assert len(found([file("a", b"begin")], patterns=[start])) == 1


def test_reach():
    """A match is whole though its literal stands at its end, and though it is longer than what is near the literal."""
    (url,) = found([file("a", b"." * 5000 + b"postgres://user:password@host")], patterns=[URL])
    assert (url.offset, url.length) == (5000, 25)
    (long,) = found([file("a", b"id0000" + b"7" * 3000 + b" ")], patterns=[DIGITS])
    assert long.length == 3006


@pytest.mark.parametrize("trigger", [b"0000", b"to one", b"AKIA", b"\n", b"t\xe9", b"e"])
def test_any_literal(trigger):
    """A literal of any bytes is found in a text, those that are common in texts included."""
    pattern = Pattern(name="any", triggers=(b"never-there", trigger), regex=trigger, text_only=True)
    assert len(found([file("a", b"xyz" + trigger + b"xyz")], patterns=[pattern])) == 1
    assert not found([file("a", b"xyz")], patterns=[pattern])


def test_several_patterns():
    """Patterns are looked for independently of each other, and told in the order of their places."""
    matches = found([file("b", KEY), file("a", b"http://a:b@c " + KEY)], patterns=[AWS, URL, ANYWHERE])

    assert [(match.path, match.pattern) for match in matches] == [
        ("/a", "url"), ("/a", "aws"), ("/a", "aws"), ("/b", "aws"), ("/b", "aws"),
    ]  # fmt: skip


def test_many_matches(monkeypatch):
    """Matches are listed up to a number, and that there are more is told."""
    monkeypatch.setattr(notes, "MAX_MATCHES", 10)
    image = image_of([file("a", (KEY + b" ") * 50)], patterns=[AWS])

    assert len(image.matches) == 10
    assert "more than 10 times" in image.problems[0]


def test_broken_pattern():
    """A pattern that is no expression is named."""
    with pytest.raises(SettingsError) as caught:
        found([file("a")], patterns=[Pattern(name="broken", triggers=(b"a",), regex=b"(", text_only=True)])

    assert "broken" in sentences(caught.value)[0]


def test_reaches_fit():
    """A file that is looked at in one piece is longer than what a match can reach."""
    assert scan.BEFORE + scan.BEYOND < scan.SNIFFED
