"""Two images made of a few words each: every kind of difference is named, placed and remedied."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from dockyard.dockerfile import parse
from dockyard.reproduce import How, compare
from images import file, folder, hardlink, opaque, saved, streamed, symlink, tar, whiteout

NOW = 1_790_000_000
CAPABILITY = "SCHILY.xattr.security.capability"
DOCKERFILE = """\
FROM base AS builder
RUN make
FROM base
RUN first
COPY --from=builder /made /made
"""
STEPS = [
    {"created_by": "/bin/sh -c #(nop) ADD file:1 in /"},
    {"created_by": "RUN /bin/sh -c first # buildkit"},
    {"created_by": "COPY /made /made # buildkit"},
]


def compared(one: bytes, other: bytes, **given):
    """Compare two saved images."""
    return compare(lambda: streamed(one), lambda: streamed(other), **given)


def only(one, other, **changed):
    """Return the one difference of two images, given by the members of their single layer."""
    found = compared(saved(one), saved(other), since=NOW, **changed)
    (difference,) = found.differences
    assert not found.alike
    assert difference.remedy.endswith(".")
    return difference


def test_equal():
    """Equal images have one digest and no difference."""
    image = saved([file("a", b"a")])
    found = compared(image, image)

    assert found.alike
    assert found.differences == ()
    assert len(set(found.digests)) == 1
    assert found.digests[0].startswith("sha256:")


@pytest.mark.parametrize(
    ("one", "other", "subject", "how", "detail", "remedy"),
    [
        (file("a", mtime=1), file("a", mtime=2), "/a", How.MTIME, "mtime 1 and 2", "rewrite-timestamp"),
        (file("a", mode=0o644), file("a", mode=0o600), "/a", How.MODE, "mode 644 and 600", "--chmod"),
        (file("a", uid=1), file("a", gid=2), "/a", How.OWNER, "owner 1:0 and 0:2", "--chown"),
        (symlink("a", "one"), symlink("a", "two"), "/a", How.LINK, "link to one and two", "fixed"),
        (file("a"), symlink("a", "b"), "/a", How.KIND, "file and symlink", "hard link"),
        (
            file("a", pax={CAPABILITY: "1"}),
            file("a"),
            "/a",
            How.ATTRIBUTE,
            "security.capability 31 and none",
            "setcap",
        ),
        (file("a", b"one"), file("a", b"two"), "/a", How.CONTENT, "content: 3 of 3 bytes, the first at 0", "random"),
        (whiteout("a"), whiteout("b"), "/a", How.EXTRA, "only the first removes it", "sometimes"),
        (opaque("a"), folder("a"), "/a", How.MISSING, "only in the other", "sometimes"),
    ],
)
def test_files(one, other, subject, how, detail, remedy):
    """Each way in which one file can differ has its name, both values and its remedy."""
    found = compared(saved([one]), saved([other]), since=NOW)
    difference = found.differences[0]

    assert (difference.subject, difference.seen.how) == (subject, how)
    if how is not How.KIND:
        assert difference.seen.detail == detail
    else:
        assert difference.seen.detail.startswith(detail)
    assert remedy in difference.remedy


def test_missing_and_extra():
    """What only one of them has is said to be only there."""
    assert only([file("a"), file("b")], [file("a")]).seen.how is How.EXTRA
    seen = only([file("a")], [file("a"), file("b")])
    assert (seen.subject, seen.seen.how, seen.seen.detail) == ("/b", How.MISSING, "only in the other")


def test_order_in_the_tar():
    """Equal files in another order are named by the first that stands elsewhere."""
    difference = only([file("a"), file("b"), file("c")], [file("a"), file("c"), file("b")])

    assert difference.seen.how is How.ORDER
    assert "number 2 in the tar is /b and /c" in difference.seen.detail
    assert "Sort" in difference.remedy


def test_what_no_container_sees():
    """What no entry tells is laid on the headers, and never on nothing."""
    difference = only([file("a", pax={"SCHILY.xattr.user.x": "1"})], [file("a", pax={"SCHILY.xattr.user.x": "2"})])

    assert difference.seen.how is How.HEADERS


def test_hard_link():
    """Which of two names is the link is a difference of its kind."""
    found = compared(
        saved([file("a", b"x"), hardlink("b", "a")]), saved([file("b", b"x"), hardlink("a", "b")]), since=NOW
    )

    assert {(each.subject, each.seen.how) for each in found.differences} == {
        ("/a", How.KIND),
        ("/a", How.LINK),
        ("/b", How.KIND),
        ("/b", How.LINK),
    }


def test_place():
    """The first differing layer comes first, with its line, instruction, and the stage its files are from."""
    layers = [[file("base")], [file("x", b"1")], [file("made/y", b"1")]]
    others = [[file("base")], [file("x", b"2")], [file("made/y", b"2")]]
    found = compared(
        saved(*layers, history=STEPS), saved(*others, history=STEPS), dockerfile=parse(DOCKERFILE), since=NOW
    )

    places = [each.place for each in found.differences]
    assert [(each.layer, each.line, each.instruction, each.source) for each in places] == [
        (1, 4, "RUN first", ""),
        (2, 5, "COPY --from=builder /made /made", "builder"),
    ]


def test_place_in_a_stage():
    """Of an earlier stage the layers have the lines of that stage."""
    dockerfile = parse(DOCKERFILE)
    history = [STEPS[0], {"created_by": "RUN /bin/sh -c make # buildkit"}]
    one, other = (saved([file("base")], [file("x", data)], history=history) for data in (b"1", b"2"))
    (difference,) = compared(one, other, dockerfile=dockerfile, stage=dockerfile.stage("builder")).differences

    assert difference.place
    assert (difference.place.line, difference.place.instruction) == (2, "RUN make")


def test_place_without_dockerfile():
    """Of an image that the Dockerfile did not make, the history says what made a layer."""
    layers = ([file("base")], [file("x", b"1")], [file("y")])
    others = ([file("base")], [file("x", b"2")], [file("y")])
    found = compared(saved(*layers, history=STEPS), saved(*others, history=STEPS))

    (place,) = [each.place for each in found.differences]
    assert (place.line, place.instruction) == (0, "RUN /bin/sh -c first # buildkit")


def test_number_of_layers():
    """A layer too many is told, after those before it."""
    found = compared(saved([file("a", mode=0o600)], [file("b")]), saved([file("a")]))

    assert [each.seen.how for each in found.differences][:2] == [How.MODE, How.LAYERS]
    assert found.differences[1].seen.detail.startswith("2 and 1 layers")


def test_layers_come_before_the_configuration():
    """What is in the layers comes first, then the configuration."""
    found = compared(saved([file("a", b"1")], config={"User": "1"}), saved([file("a", b"2")], config={"User": "2"}))

    assert [(each.subject, each.place is None) for each in found.differences] == [("/a", False), ("config.User", True)]


def test_compression():
    """Layers that are packed otherwise are the same image, and the difference of the digests has its reason."""
    found = compared(saved([file("a")], compression="gzip"), saved([file("a")], compression="none"))

    assert found.alike
    assert [each.seen.how for each in found.differences] == [How.COMPRESSION]
    assert len(set(found.digests)) == 2


def test_large_file():
    """A file that is too large to be kept is said to differ, and not to have been looked into."""
    size = (1 << 20) + 1
    difference = only([file("a", b"1" * size)], [file("a", b"2" * size)])

    assert difference.seen.how is How.CONTENT
    assert difference.seen.detail.endswith("too many to compare")


def test_archive_remedy():
    """A tar within the image that differs in its order gets the remedy for archives."""
    one, other = (tar(*(file(name) for name in names)) for names in ("ab", "ba"))
    difference = only([file("x.tar", one)], [file("x.tar", other)])

    assert difference.seen.how is How.ORDER
    assert "--numeric-owner" in difference.remedy


def test_bytes_are_seen_through_gzip():
    """A gzip's time is named as such, and what it holds otherwise as what it is."""
    named = only([file("a.gz", gzip.compress(b"x", mtime=1))], [file("a.gz", gzip.compress(b"x", mtime=2))])
    assert (named.seen.how, named.seen.detail) == (How.GZIP, "time 1 and 2; what it holds is equal")
    assert "gzip -n" in named.remedy
    inner = [gzip.compress(tar(*(file(name) for name in names)), mtime=0) for names in ("ab", "ba")]
    assert only([file("a.tgz", inner[0])], [file("a.tgz", inner[1])]).seen.how is How.ORDER


def test_members():
    """A member's time, rights, owner and content within a tar or zip are told apart."""

    def zipped(**changed):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            info = zipfile.ZipInfo("m", (2020, 1, changed.get("day", 1), 0, 0, 0))
            archive.writestr(info, changed.get("data", b"x"))
        return buffer.getvalue()

    cases = (
        (tar(file("m", mtime=1)), tar(file("m", mtime=2)), How.TIME),
        (tar(file("m", mode=0o644)), tar(file("m", mode=0o600)), How.MODE),
        (tar(file("m", uid=1)), tar(file("m", uid=2)), How.OWNER),
        (tar(file("m", b"1")), tar(file("m", b"2")), How.CONTENT),
        (tar(file("m")), tar(file("m"), file("n")), How.CONTENT),
        (zipped(day=1), zipped(day=2), How.TIME),
        (zipped(data=b"1"), zipped(data=b"2"), How.CONTENT),
    )
    for one, other, how in cases:
        difference = only([file("a", one)], [file("a", other)])
        assert (difference.seen.how, difference.seen.packed) == (how, True), difference


def test_broken_archive():
    """A file that begins as a tar and is none differs in its content, and breaks nothing."""
    header = tar(file("m", b"x" * 600))[:700]
    assert only([file("a", header)], [file("a", header[:-1] + b"y")]).seen.how is How.CONTENT
