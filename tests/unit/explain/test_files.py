"""The files that an instruction takes."""

from __future__ import annotations

import os

import pytest

from dockyard.context import effective
from dockyard.explain import ledger
from dockyard.explain.entries import EDITED, read_entry
from dockyard.explain.files import Context
from dockyard.explain.ledger import Ledger
from dockyard.explain.selection import EVERYTHING, selected
from dockyard.state import State


@pytest.fixture
def root(tmp_path):
    """A context with a folder, links and what .dockerignore keeps out."""
    folder = tmp_path / "context"
    (folder / "src/deep").mkdir(parents=True)
    (folder / "src/a.py").write_text("a\n")
    (folder / "src/deep/b.py").write_text("b\n")
    (folder / "src/link").symlink_to("a.py")
    (folder / "src/x.log").write_text("log\n")
    (folder / "one.txt").write_text("1\n")
    (folder / "two.txt").write_text("2\n")
    (folder / "to-file").symlink_to("src/a.py")
    (folder / "to-folder").symlink_to("src/deep")
    (folder / ".dockerignore").write_text("**/*.log\n")
    return folder


@pytest.fixture
def take(root, tmp_path):
    """Return what a source stands for, read anew."""

    def take(source, selection=EVERYTHING, **given):
        context = Context(root, effective(root, root / "Dockerfile"), Ledger(State(tmp_path / "state"), root), **given)
        return context.take(source, selection)

    return take


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("src", ["src", "src/a.py", "src/deep", "src/deep/b.py", "src/link"]),
        ("./src/deep/", ["src/deep", "src/deep/b.py"]),
        ("*.txt", ["one.txt", "two.txt"]),
        ("s*/*.py", ["src/a.py"]),
        ("[^t]*.txt", ["one.txt"]),
        ("[!o]*.txt", ["one.txt"]),
        ("src/[b-z]*", ["src/deep", "src/deep/b.py", "src/link"]),
        ("src/\\*.py", []),
        ("s*/\\a.py", []),
        ("[z-a]*", []),
        ("to-file", ["to-file"]),
        ("to-folder", ["to-folder", "to-folder/b.py"]),
        ("src/x.log", []),
        ("missing", []),
    ],
)
def test_take(take, source, names):
    """A source is a file, a folder with all in it, or what wildcards match; its own link is followed."""
    assert list(take(source).entries) == names


SRC = ["src", "src/a.py", "src/deep", "src/deep/b.py", "src/link"]


@pytest.mark.parametrize(
    ("source", "exclude", "parents", "names"),
    [
        ("src", ["*.py"], False, ["src", "src/deep", "src/deep/b.py", "src/link"]),
        ("src", ["**/*.py"], False, ["src", "src/deep", "src/link"]),
        ("src", ["deep"], False, ["src", "src/a.py", "src/link"]),
        ("src", ["src/a.py"], False, SRC),
        ("src", ["link", "a.py"], False, ["src", "src/deep", "src/deep/b.py"]),
        ("src", ["*", "!deep/b.py"], False, ["src", "src/deep", "src/deep/b.py"]),
        ("src", ["!deep/b.py", "deep"], False, ["src", "src/a.py", "src/link"]),
        ("src", ["["], False, SRC),
        (
            ".",
            ["src/deep", "*.txt"],
            False,
            ["", ".dockerignore", "src", "src/a.py", "src/link", "to-file", "to-folder"],
        ),
        ("s*", ["*.py"], False, ["src", "src/deep", "src/deep/b.py", "src/link"]),
        ("*.txt", ["*.txt"], False, ["one.txt", "two.txt"]),
        ("to-folder", ["b.py"], False, ["to-folder"]),
        ("src/a.py", [], True, ["", "src", "src/a.py"]),
        ("./src/deep/", [], True, ["", "src", "src/deep", "src/deep/b.py"]),
        ("src/./deep", [], True, ["src", "src/deep", "src/deep/b.py"]),
        ("src/**/*.py", [], True, ["", "src", "src/a.py", "src/deep", "src/deep/b.py"]),
        ("s*/./*.py", [], True, ["src", "src/a.py"]),
        ("src/x.log", [], True, [""]),
        ("src", ["src/deep"], True, ["", "src", "src/a.py", "src/link"]),
        ("src/./deep", ["src/deep"], True, ["src", "src/deep", "src/deep/b.py"]),
    ],
)
def test_selected(take, source, exclude, parents, names):
    """--exclude leaves out what matches below the source; --parents takes what matches from the context or `/./` on."""
    assert list(take(*selected(source, exclude, parents=parents)).entries) == names


def test_selected_is_not_read(take, monkeypatch):
    """What is not taken is not read either."""
    read = []
    monkeypatch.setattr(ledger.Ledger, "digest", lambda _, path, __: read.append(path) or "x")
    take(*selected("src/deep", [], parents=True))
    take(*selected("src", ["deep"], parents=False))

    assert read == ["src/deep/b.py", "src/a.py"]


def test_entry(take):
    """A file has its mode and size; a link in a folder is where it points; a link as the source is its target."""
    entries = take("src").entries
    file, link = read_entry(entries["src/a.py"]), read_entry(entries["src/link"])

    assert (file.kind, file.mode, file.size) == ("file", 0o644, 2)
    assert (link.kind, link.content) == ("link", "a.py")
    assert read_entry(take("to-file").entries["to-file"]) == file


def test_deny_all(take, root):
    """A folder that is kept out comes along with what an exception brings back from it."""
    (root / ".dockerignore").write_text("*\n!src/deep/**\n")

    assert list(take("src").entries) == ["src", "src/deep", "src/deep/b.py"]
    assert take("one.txt").entries == {}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda root: os.utime(root / "src/a.py", (1, 1)), True),
        (lambda root: (root / "src/x.log").write_text("more"), True),
        (lambda root: (root / "src/deep").chmod(0o700), True),
        (lambda root: (root / "src/a.py").chmod(0o755), False),
        (lambda root: (root / "src/a.py").write_text("A\n"), False),
        (lambda root: (root / "src/a.py").rename(root / "src/c.py"), False),
        (lambda root: (root / "src/new").mkdir(), False),
    ],
)
def test_digest(take, root, change, same):
    """Content, names and modes of files count; times, modes of folders and what is kept out do not."""
    before = take("src").digest
    change(root)

    assert (take("src").digest == before) == same


def test_mode_of_folder_is_kept_apart(take, root):
    """The mode of a folder, which BuildKit sees only once, has a digest of its own."""
    before = take("src").folders
    (root / "src/deep").chmod(0o700)

    assert take("src").folders != before


def test_edited(take):
    """A file that is taken for edited has another content than any file."""
    entries = take("src", edited=["src/a.py"]).entries

    assert read_entry(entries["src/a.py"]).content == EDITED
    assert take("src", edited=["src/a.py"]).digest != take("src").digest


def test_not_read_again(root, tmp_path, monkeypatch):
    """A file whose size, times and inode are as they were is not read again; one that was written just now is."""
    old, fresh = root / "one.txt", root / "two.txt"
    monkeypatch.setattr(ledger, "FRESH_NS", 0)
    first = Ledger(State(tmp_path / "state"), root)
    digests = [first.digest(each.name, each.stat()) for each in (old, fresh)]
    first.keep()
    monkeypatch.setattr(ledger, "_digest", lambda _: "read")
    again = Ledger(State(tmp_path / "state"), root)

    assert [again.digest(each.name, each.stat()) for each in (old, fresh)] == digests
    os.utime(fresh, (1, 1))
    assert again.digest(fresh.name, fresh.stat()) == "read"


def test_fresh_is_read_again(root, tmp_path, monkeypatch):
    """A file that was written right before it was read may change within the same tick, and is read once more."""
    monkeypatch.setattr(ledger, "FRESH_NS", 10**15)
    path = root / "one.txt"
    first = Ledger(State(tmp_path / "state"), root)
    first.digest(path.name, path.stat())
    first.keep()
    monkeypatch.setattr(ledger, "_digest", lambda _: "read")
    again = Ledger(State(tmp_path / "state"), root)

    assert again.digest(path.name, path.stat()) == "read"


def test_touched(root, tmp_path):
    """A file with another time and the same content is told; one with another content, and one left alone, are not."""
    names = ("one.txt", "two.txt", "src/a.py")
    first = Ledger(State(tmp_path / "state"), root)
    for name in names:
        first.digest(name, (root / name).stat())
    first.keep()
    os.utime(root / "one.txt", (1, 1))
    (root / "two.txt").write_text("other")
    again = Ledger(State(tmp_path / "state"), root)
    for name in names:
        again.digest(name, (root / name).stat())

    assert again.touched == {"one.txt"}


def test_damaged_ledger(root, tmp_path):
    """Digests that cannot be read are as good as none."""
    first = Ledger(State(tmp_path / "state"), root)
    digest = first.digest("one.txt", (root / "one.txt").stat())
    first.keep()
    for path in (tmp_path / "state/explain").iterdir():
        path.write_text("{")

    assert Ledger(State(tmp_path / "state"), root).digest("one.txt", (root / "one.txt").stat()) == digest
