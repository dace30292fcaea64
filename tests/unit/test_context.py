from __future__ import annotations

import os

import pytest

from dockyard.context import CANARIES, CANARY, Ignore, effective, files, plant
from dockyard.errors import SettingsError
from support import sentences


@pytest.fixture
def ignored(project):
    """Read the .dockerignore that a test writes."""

    def ignored(text: str) -> Ignore:
        (project / ".dockerignore").write_bytes(text.encode())
        return effective(project, project / "Dockerfile")

    return ignored


def test_nothing_is_ignored(project):
    """Without a .dockerignore everything is admitted, and nothing decides."""
    ignore = effective(project, project / "Dockerfile")

    assert ignore == Ignore()
    assert ignore.admits(".env")
    assert ignore.deciding(".env") is None


@pytest.mark.parametrize("text", ["config\n", "", "# nothing\n"])
def test_the_dockerfile_has_its_own(project, text):
    """The file beside the Dockerfile that has its name beats the root's, even if it is empty."""
    (project / ".dockerignore").write_text("src\n")
    own = project / "docker" / "Api.Dockerfile.dockerignore"
    own.parent.mkdir()
    own.write_text(text)
    ignore = effective(project, own.with_suffix(""))

    assert ignore.file == own
    assert ignore.admits("src/a")
    assert ignore.admits("config/a") is (text != "config\n")
    assert effective(project, project / "Dockerfile").file == project / ".dockerignore"


def test_lines(ignored):
    """Comments, empty lines, a byte order mark and white space are no patterns, and lines are counted with them."""
    ignore = ignored("\ufeffa\r\n\n# b\n  c d \n!e\n")

    assert [(each.text, each.line) for each in ignore.patterns] == [("a", 1), ("c d", 4), ("!e", 5)]


def test_bytes_that_are_no_text(project):
    """A pattern of any bytes matches the file of that name."""
    (project / ".dockerignore").write_bytes(b"a\xff\n")
    name = os.fsdecode(b"a\xff")

    assert not effective(project, project / "Dockerfile").admits(name)


@pytest.mark.parametrize("text", ["a\n!\n", "a\n[\n"])
def test_refused(ignored, text):
    """A pattern that is none is said with its line."""
    with pytest.raises(SettingsError) as caught:
        ignored(text)
    assert ".dockerignore:2" in sentences(caught.value)[0]


def test_unreadable(project):
    """A .dockerignore that cannot be read is said, and not taken for none."""
    (project / ".dockerignore").mkdir()
    with pytest.raises(SettingsError) as caught:
        effective(project, project / "Dockerfile")
    assert ".dockerignore" in sentences(caught.value)[0]


@pytest.mark.parametrize(
    ("text", "path", "deciding"),
    [
        ("a", "a", "a"),
        ("a", "a/b/c", "a"),
        ("a", "b/a", None),
        ("a\n!a/b", "a/b/c", "!a/b"),
        ("a\n!a/b", "a/c", "a"),
        ("!a/b\na", "a/b", "a"),
        ("*\n!a\na/*.x", "a/b.x", "a/*.x"),
        ("*\n!a\na/*.x", "a/b.y", "!a"),
        ("**/.env", "a/b/.env", "**/.env"),
        ("**/x", "a/b/x/c", "**/x"),
        # The exception has nothing to except when the folder is looked at, so what is below knows nothing of it.
        ("a/b\n!a", "a/b", "a/b"),
        ("!a", "a", None),
        ("*\n!a\n!a/b", "a/b", "!a"),
    ],
)
def test_deciding(ignored, text, path, deciding):
    """The last pattern that matches a path, or a folder above it, decides; one that changes nothing is not asked."""
    ignore = ignored(text)
    found = ignore.deciding(path)

    assert (found.text if found else None) == deciding
    assert ignore.admits(path) is (found is None or found.exception)


def test_files(project, ignored):
    """The files that are admitted are told in their order; links are told and not followed."""
    plant(project, ["a/x", "a-b", "b/keep", "b/c/keep", "b/c/no", "d/keep"])
    (project / "link").symlink_to("a")
    (project / "b/loop").symlink_to("..")
    ignore = ignored("b\nd\n!b/c/keep\n!b/loop\n.dockerignore\n")

    assert list(files(project, ignore)) == ["a-b", "a/x", "b/c/keep", "b/loop", "link", "pyproject.toml"]
    assert all(ignore.admits(name) for name in files(project, ignore))


def test_excluded_folders_are_passed_over(project, ignored, monkeypatch):
    """A folder in which no exception can match anything is not even opened."""
    plant(project, ["node_modules/a/b", "src/a/b", "src/keep/c"])
    opened = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: opened.append(path) or scandir(path))

    assert list(files(project, ignored("*\n!src/keep/*.c\n!src/keep/c\n"))) == ["src/keep/c"]
    assert [path.relative_to(project).as_posix() for path in opened] == [".", "src", "src/keep"]


def test_plant(project):
    """Canaries stand at the root and deeper, hold their mark and their name, and overwrite nothing."""
    (project / ".env").write_text("mine")
    planted = plant(project)

    assert set(planted) == {*CANARIES} - {".env"}
    assert (project / ".env").read_text() == "mine"
    assert all((project / name).read_text() == f"{CANARY} {name}\n" for name in planted)
    assert {".env", "config/.env.prod", "src/deep/er/.env", "id_rsa", ".git/config", ".aws/credentials"} < {*CANARIES}
    assert len(set(CANARIES)) == len(CANARIES)
    assert plant(project) == ()
