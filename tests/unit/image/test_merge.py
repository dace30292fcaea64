from __future__ import annotations

import random

import pytest

from images import Member, file, folder, hardlink, image_of, opaque, symlink, whiteout

BASE = [
    folder("d/"),
    file("d/a", b"a0"),
    file("d/b", b"b0"),
    folder("d/sub/"),
    file("d/sub/c", b"c0"),
    file("e", b"e0"),
]


def names(*layers) -> dict[str, str]:
    """Return what a container sees: paths, and contents or kinds."""
    image = image_of(*layers)
    assert image.problems == ()
    return {
        path: image.contents[path].decode() if entry.is_file else entry.kind
        for path, entry in image.files.items()
        if path != "/"
    }


ALL = {"/d": "directory", "/d/a": "a0", "/d/b": "b0", "/d/sub": "directory", "/d/sub/c": "c0", "/e": "e0"}


def without(*gone: str, **more: str) -> dict[str, str]:
    """Return the base's names without some, and with others."""
    return {path: told for path, told in ALL.items() if path not in gone} | {
        "/" + path.replace("_", "/"): told for path, told in more.items()
    }


@pytest.mark.parametrize(
    ("layer", "seen"),
    [
        ([], ALL),
        ([whiteout("d/a")], without("/d/a")),
        ([whiteout("d")], without("/d", "/d/a", "/d/b", "/d/sub", "/d/sub/c")),
        ([whiteout("nothing"), whiteout("d/nothing")], ALL),
        ([whiteout("d"), folder("d/"), file("d/n", b"n1")], without("/d/a", "/d/b", "/d/sub", "/d/sub/c", d_n="n1")),
        ([folder("d/"), file("d/n", b"n1"), opaque("d")], without("/d/a", "/d/b", "/d/sub", "/d/sub/c", d_n="n1")),
        ([opaque("d"), file("d/n", b"n1")], without("/d/a", "/d/b", "/d/sub", "/d/sub/c", d_n="n1")),
        ([opaque("d/sub")], without("/d/sub/c")),
        ([opaque("."), file("n", b"n1")], {"/n": "n1"}),
        ([whiteout("d/a"), file("d/a", b"a1")], without(d_a="a1")),
        ([file("d", b"d1")], without("/d/a", "/d/b", "/d/sub", "/d/sub/c", d="d1")),
        ([symlink("d", "e")], without("/d/a", "/d/b", "/d/sub", "/d/sub/c", d="symlink")),
        ([folder("e/"), file("e/n", b"n1")], without(e="directory", e_n="n1")),
        ([file("e/n", b"n1")], without(e="directory", e_n="n1")),
        ([folder("d/", mode=0o700)], ALL),
        ([file("x/y/z", b"z1")], without(x="directory", x_y="directory", x_y_z="z1")),
        ([Member(name=".wh..wh.plnk", type=b"5"), Member(name=".wh..wh.aufs")], ALL),
    ],
    ids=lambda value: "+".join(each.name for each in value) if isinstance(value, list) else "",
)
def test_upper(layer, seen):
    """A layer over another hides, empties and replaces as overlayfs does, whatever the order within it."""
    assert names(BASE, layer) == seen


def test_comes_back():
    """What one layer removes another can bring back, and what was in it stays away."""
    assert names(BASE, [whiteout("d")], [folder("d/"), file("d/b", b"b2")]) == without(
        "/d/a", "/d/sub", "/d/sub/c", d_b="b2"
    )


def test_own_attributes():
    """A folder that a layer names again has that layer's rights; one that it only passes through keeps its own."""
    image = image_of(
        [folder("d/", mode=0o750, uid=7), folder("e/", mode=0o700, uid=7)],
        [folder("d/", mode=0o1777, gid=9), file("e/n"), file("new/n")],
    )
    told = {path: (entry.mode, entry.uid, entry.gid, entry.layer) for path, entry in image.files.items()}

    assert told["/d"] == (0o1777, 0, 9, 1)
    assert told["/e"] == (0o700, 7, 0, 0)
    assert told["/new"] == (0o755, 0, 0, 1)
    assert told["/"][0] == 0o755


@pytest.mark.parametrize("above", [file("a", b"not kept"), folder("a/"), file("a/x"), symlink("a", "b")])
def test_overwritten_bytes(above):
    """The kept bytes of a file that is overwritten are those of its layer only."""
    image = image_of([file("a", b"1")], [above], keep=lambda path, size, begin: size == 1)

    assert "/a" not in image.contents
    assert image.kept == {(0, "/a"): b"1"}


def test_within_a_layer():
    """Within one layer the last of equal names counts, and what replaces a folder takes all that was in it."""
    image = image_of(
        [
            file("a", b"1"),
            file("a", b"22"),
            file("f/x", b"x"),
            file("f", b"f"),
            file("g", b"g"),
            folder("g/"),
            file("g/y"),
        ]
    )

    assert image.contents["/a"] == b"22"
    assert (image.files["/a"].size, image.kept[0, "/a"]) == (2, b"22")
    assert image.files["/f"].kind == "file"
    assert "/f/x" not in image.files
    assert (0, "/f/x") not in image.kept
    assert image.files["/g"].kind == "directory"
    assert "/g" not in image.contents
    assert "/g/y" in image.files


def test_hard_links():
    """A hard link has its file's bytes and rights, in its layer and across layers, and outlives the first name."""
    image = image_of(
        [file("a", b"text", mode=0o4755, uid=5), hardlink("b", "a"), hardlink("c", "/b")],
        [whiteout("a"), hardlink("d", "c"), hardlink("e", "./a")],
    )

    assert "/a" not in image.files
    for path in ("/b", "/c", "/d", "/e"):
        entry = image.files[path]
        assert (entry.kind, entry.mode, entry.uid, entry.size) == ("hardlink", 0o4755, 5, 4)
        assert entry.sha256 == image.layers[0].entries["/a"].sha256
        assert image.contents[path] == b"text"
    assert image.files["/c"].target == "/a"
    assert image.files["/d"].layer == 1


def test_hard_link_keeps_the_old_bytes():
    """A file that is replaced within its layer leaves its bytes to the links that were made before."""
    image = image_of([file("a", b"old"), hardlink("b", "a"), file("a", b"new")])

    assert (image.contents["/a"], image.contents["/b"]) == (b"new", b"old")


def test_hard_link_to_a_link():
    """A hard link to a symbolic link is that link under another name."""
    image = image_of([symlink("a", "target"), hardlink("b", "a")])

    assert (image.files["/b"].kind, image.files["/b"].target, image.files["/b"].path) == ("symlink", "target", "/b")


@pytest.mark.parametrize("target", ["nowhere", "../../etc/passwd", "d", "l"])
def test_bad_hard_links(target):
    """A hard link to nothing, out of the image, to a folder or to itself is refused by name."""
    image = image_of([folder("d/"), hardlink("l", target)])

    assert "/l" not in image.files
    (problem,) = image.problems
    assert "/l" in problem


def test_removal_after_the_file():
    """A layer that has a file and then its removal keeps the file, as OCI has it, and is told of: engines differ."""
    image = image_of([file("a", b"0")], [file("a", b"1"), whiteout("a")])

    assert image.contents["/a"] == b"1"
    assert "/a and then its removal" in image.problems[0]


def test_device_of_a_whiteout():
    """The device 0:0, which overlayfs itself takes for a removal, removes, and is told of."""
    image = image_of([file("a")], [Member(name="a", type=b"3")])

    assert "/a" not in image.files
    assert "0:0" in image.problems[0]


def test_through_a_link_of_the_layer():
    """An entry below a link of its own layer ends up inside the image, where the link leads, and is told of."""
    image = image_of([symlink("bin", "../../usr/bin"), folder("usr/bin/"), file("bin/x", b"x"), file("bin/y/z", b"z")])

    assert image.contents["/usr/bin/x"] == b"x"
    assert "/usr/bin/y/z" in image.files
    assert image.files["/bin"].kind == "symlink"
    assert all("/usr/bin/" in problem for problem in image.problems)
    assert len(image.problems) == 2


def test_over_a_link_of_a_lower_layer():
    """A link of a lower layer is not followed: a folder takes its place."""
    assert names([symlink("bin", "usr/bin"), folder("usr/bin/")], [file("bin/x", b"x")])["/bin"] == "directory"


@pytest.mark.parametrize("seed", range(50))
def test_like_a_file_system(seed):
    """Random layers make the file system that a few plain loops make of them."""
    rng = random.Random(seed)
    layers = [_random_layer(rng) for _ in range(5)]
    image = image_of(*layers)
    tree: dict[str, str] = {}
    for layer in layers:
        _apply(tree, layer)

    assert {path: entry.kind for path, entry in image.files.items() if path != "/"} == tree


def _random_layer(rng: random.Random) -> list[Member]:
    """Return folders, files and removals of few names, so that they meet; each path once, folders first."""
    paths = sorted({"/".join(rng.choice("abc") for _ in range(rng.randint(1, 4))) for _ in range(8)})
    members, files = [], []
    for path in paths:
        if any(path.startswith(f"{each}/") for each in files):
            continue
        kind = rng.choice(["file", "folder", "whiteout", "opaque"])
        below = any(each.startswith(f"{path}/") for each in paths)
        if kind == "whiteout":
            members.append(whiteout(path))
        elif kind == "opaque":
            members += [folder(path), opaque(path)]
        elif kind == "file" and not below:
            members.append(file(path))
            files.append(path)
        else:
            members.append(folder(path))
    rng.shuffle(members)
    return members


def _apply(tree: dict[str, str], layer: list[Member]) -> None:
    """Put a layer on a file system: first what it takes away, then what it has."""
    for member in layer:
        above, _, base = f"/{member.name}".rpartition("/")
        if base == ".wh..wh..opq":
            _remove(tree, above)
        elif base.startswith(".wh."):
            _remove(tree, f"{above}/{base[4:]}")
            tree.pop(f"{above}/{base[4:]}", None)
    for member in layer:
        path = f"/{member.name}"
        if ".wh." not in path:
            for depth in range(2, len(path.split("/"))):
                tree["/".join(path.split("/")[:depth])] = "directory"
            if member.type != b"5":
                _remove(tree, path)
            tree[path] = "directory" if member.type == b"5" else "file"


def _remove(tree: dict[str, str], folder: str) -> None:
    """Take away what is below a folder."""
    for each in [each for each in tree if each.startswith(f"{folder}/")]:
        del tree[each]
