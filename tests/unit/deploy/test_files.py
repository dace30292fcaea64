from __future__ import annotations

import pytest

from dockyard.deploy.files import compare, image_of, require_current, seal, sealed, write
from dockyard.deploy.targets import Target
from dockyard.errors import DeployError, EngineError, SettingsError
from support import sentences

TARGET = Target(name="there", files=lambda _: {}, main="a.yaml", owns=("a.yaml", "more/*/b.yaml"))
WANTED = {"a.yaml": "image: api@sha256:1\n", "more/x/b.yaml": "---\nb: 1\n"}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "deploy"


def states(folder, wanted=WANTED):
    return {each.path: each.state for each in compare(folder, TARGET, wanted)}


def laid(folder, wanted=WANTED):
    """Write the files, as they are wanted."""
    write(folder, compare(folder, TARGET, wanted), force=False)


def test_seal():
    """A written file is known for one; with any letter of it changed, or its head gone, it is not."""
    text = seal("a: 1\nb: 2\n")

    assert sealed(text)
    assert text.endswith("\na: 1\nb: 2\n")
    for edited in (text + " ", text.replace("a: 1", "a: 2"), "a: 1\nb: 2\n", "", text[1:], f"\n{text}"):
        assert not sealed(edited)


def test_written(folder):
    """Missing files are written with their folders; after that all is as it should be, and nothing half is left."""
    assert states(folder) == {"a.yaml": "missing", "more/x/b.yaml": "missing"}
    laid(folder)

    assert set(states(folder).values()) == {"unchanged"}
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["a.yaml", "b.yaml"]
    assert sealed((folder / "a.yaml").read_text("utf-8"))


def test_unchanged_is_not_written(folder):
    """A file that is as it should be is not touched."""
    laid(folder)
    before = (folder / "a.yaml").stat()
    laid(folder)

    assert (folder / "a.yaml").stat().st_ino == before.st_ino


def test_changed(folder):
    """What the settings changed is rewritten, and the difference is told without the seal's."""
    laid(folder)
    compared = compare(folder, TARGET, {**WANTED, "more/x/b.yaml": "---\nb: 2\n"})
    (found,) = [each for each in compared if each.state != "unchanged"]

    assert (found.path, found.state) == ("more/x/b.yaml", "changed")
    assert found.diff[3:] == (" ---", "-b: 1", "+b: 2")
    write(folder, compared, force=False)
    assert "b: 2" in (folder / "more/x/b.yaml").read_text("utf-8")


def test_long_difference(folder):
    """Of a long difference the first lines are told, and how many more there are."""
    laid(folder)
    wanted = {**WANTED, "a.yaml": "".join(f"line{number}: 1\n" for number in range(100))}
    (found,) = [each for each in compare(folder, TARGET, wanted) if each.state == "changed"]

    assert len(found.diff) == 41
    assert found.diff[-1].endswith("lines more")


def test_edited(folder):
    """A file that a person edited is not overwritten, and then no other is written either."""
    laid(folder)
    (folder / "a.yaml").write_text((folder / "a.yaml").read_text("utf-8") + "mine: 1\n", "utf-8")
    wanted = {**WANTED, "more/x/b.yaml": "b: 2\n"}
    compared = compare(folder, TARGET, wanted)

    assert states(folder, wanted) == {"a.yaml": "edited", "more/x/b.yaml": "changed"}
    with pytest.raises(DeployError) as caught:
        write(folder, compared, force=False)
    what, _, todo = sentences(caught.value)
    assert "a.yaml was edited by hand" in what
    assert "--force" in todo
    assert "b: 1" in (folder / "more/x/b.yaml").read_text("utf-8")

    write(folder, compared, force=True)
    assert "mine" not in (folder / "a.yaml").read_text("utf-8")


def test_left_over(folder):
    """What is no longer wanted goes, with the folder that was made for it; what a person put there stays."""
    laid(folder)
    own = folder / "more/mine/b.yaml"
    own.parent.mkdir()
    own.write_text("mine: 1\n", "utf-8")
    wanted = {"a.yaml": WANTED["a.yaml"]}

    assert states(folder, wanted) == {"a.yaml": "unchanged", "more/x/b.yaml": "left over"}
    laid(folder, wanted)
    assert own.is_file()
    assert not (folder / "more/x").exists()


@pytest.mark.parametrize("text", ['x:\n  - image: "api@sha256:1"\n', "x:\n    image: api@sha256:1\n"])
def test_image(folder, text):
    """The image that the files name is found again, in quotes or not."""
    laid(folder, {"a.yaml": text})
    assert image_of(folder, TARGET) == "api@sha256:1"


def test_no_image(folder):
    """Where nothing is written there is none."""
    assert image_of(folder, TARGET) == ""


def test_require_current(folder):
    """Files that are not what the settings say end with exit code 7, each with its state and the way to mend it."""
    with pytest.raises(DeployError) as caught:
        require_current(compare(folder, TARGET, WANTED), "compose")
    what, why, todo = sentences(caught.value)
    assert "not what the settings say" in what
    assert why == "a.yaml: missing, more/x/b.yaml: missing"
    assert "`invoke deploy --to compose`" in todo

    laid(folder)
    require_current(compare(folder, TARGET, WANTED), "compose")


def test_unreadable(folder):
    """What cannot be read as text is said with its name."""
    folder.mkdir()
    (folder / "a.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError) as caught:
        compare(folder, TARGET, WANTED)
    assert "a.yaml cannot be read" in sentences(caught.value)[0]


def test_unwritable(folder):
    """A folder that is a file is said with its name."""
    folder.write_text("a file", "utf-8")
    with pytest.raises((EngineError, SettingsError)) as caught:
        laid(folder)
    assert str(folder) in str(caught.value)
