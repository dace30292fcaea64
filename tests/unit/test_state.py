from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dockyard.errors import EngineError
from dockyard.state import State
from support import sentences

HOLDER = """
import sys
from pathlib import Path
from dockyard.state import State
with State(Path(sys.argv[1])).lock("run"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def warnings():
    """What the state warned of."""
    return []


@pytest.fixture
def state(tmp_path, warnings):
    """The records of a project; the folder is not made yet."""
    return State(tmp_path / ".dockyard", warn=warnings.append)


def left(state: State) -> list[str]:
    """Return every file below the folder but the one that keeps git away."""
    files = (path.relative_to(state.folder) for path in state.folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if path.name != ".gitignore")


def test_write(state):
    """A file is written whole, its folders made, and nothing else is left beside it."""
    path = state.write("builds/one", b"content")

    assert path == state.folder / "builds" / "one"
    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644 & ~os.umask(os.umask(0))
    assert left(state) == ["builds/one"]


@pytest.mark.parametrize("first", ["write", "lock"])
def test_ignored_by_git(state, first):
    """Whatever makes the folder, git ignores it from then on; what its owner changed of that stays."""
    if first == "write":
        state.write("one", b"")
    else:
        with state.lock("run"):
            pass
    ignore = state.folder / ".gitignore"
    assert ignore.read_text() == "*\n"

    ignore.write_text("")
    state.write("one", b"")
    assert ignore.read_text() == ""


def test_overwrite(state):
    """A later write takes the place of the first."""
    state.write("one", b"long content")
    state.write("one", b"short")

    assert state.read_text("one") == "short"


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_mode(state, mode):
    """A file has the mode that was asked for from its first byte on."""
    path = state.write("api_key", b"secret", mode=mode)

    assert stat.S_IMODE(path.stat().st_mode) == mode & ~os.umask(os.umask(0))


@pytest.mark.parametrize(
    "failure", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "ctrl-c"]
)
@pytest.mark.parametrize("before", [None, b"old"], ids=["new", "old"])
def test_failing_write(state, monkeypatch, failure, before):
    """A write that fails leaves no half of a file, and the old one as it was."""
    if before:
        state.write("one", before)

    def fail(*_):
        raise failure

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(EngineError if isinstance(failure, OSError) else KeyboardInterrupt) as caught:
        state.write("one", b"new")

    assert left(state) == (["one"] if before else [])
    assert state.read_text("one") == (before.decode() if before else None)
    if isinstance(failure, OSError):
        assert "No space left" in sentences(caught.value)[1]


def test_folder_is_file(tmp_path):
    """A file in the folder's place is an error with three lines."""
    (tmp_path / ".dockyard").write_text("")

    with pytest.raises(EngineError) as caught:
        State(tmp_path / ".dockyard").write("one", b"")

    assert sentences(caught.value)[0] == f"{tmp_path / '.dockyard' / 'one'} cannot be written."


def test_record(state):
    """A record is read as it was written; one that was not is None."""
    state.write_record("builds/1.json", {"b": [1, "é"], "a": {"x": None}})

    assert state.read_record("builds/1.json") == {"b": [1, "é"], "a": {"x": None}}
    assert state.read_record("builds/2.json") is None


@pytest.mark.parametrize("content", [b"", b'{"half": ', b"\xff\xfe", b"[1, 2]", b"null"])
def test_damaged(state, warnings, content):
    """A record that is damaged is set aside with a warning, and is not in the way again."""
    path = state.write("builds/1.json", content)

    assert state.read_record("builds/1.json") is None

    assert left(state) == ["builds/1.json.damaged"]
    (warning,) = warnings
    assert str(path) in warning
    assert "set aside as 1.json.damaged" in warning
    assert state.read_record("builds/1.json") is None
    assert len(warnings) == 1


def test_text(state):
    """A text is read as it is; one that is not there is None."""
    state.write("api_key", "schlüssel\n".encode())

    assert state.read_text("api_key") == "schlüssel\n"
    assert state.read_text("none") is None


@pytest.mark.parametrize(("count", "kept"), [(1, [3]), (2, [2, 3]), (3, [1, 2, 3]), (9, [1, 2, 3])])
def test_keep(state, count, kept):
    """The newest records are kept, by their names; those of another kind are not touched."""
    for number in (2, 3, 1):
        state.write_record(f"builds/{number}.json", {})
    state.write_record("releases/0.json", {})

    state.keep("builds", count)

    assert state.records("builds") == [f"builds/{number}.json" for number in kept]
    assert state.records("releases") == ["releases/0.json"]


def test_no_records(state):
    """A kind of which there is nothing yet has no records."""
    state.keep("builds", 1)

    assert state.records("builds") == []


def test_lock(state):
    """A purpose is held by one alone, is free for others meanwhile, and free again afterwards."""
    with state.lock("run"):
        with state.lock("build"):
            pass
        with pytest.raises(EngineError), State(state.folder).lock("run"):
            pytest.fail("it was held twice")
    assert not list(state.folder.glob("*.holder"))
    with state.lock("run"):
        pass


def test_lock_error_frees(state):
    """A lock is free again when what it protected fails."""
    with pytest.raises(ZeroDivisionError), state.lock("run"):
        raise ZeroDivisionError
    with state.lock("run"):
        pass


@pytest.fixture
def holder(state):
    """A process that holds the lock `run`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_locked_out(state, holder):
    """A lock that another process holds is refused at once, and its holder is named."""
    with pytest.raises(EngineError) as caught, state.lock("run"):
        pytest.fail("it was held twice")

    what, why, _ = sentences(caught.value)
    assert what == "Another command of this project is at work, so nothing was done."
    assert why.startswith("It is `invoke ")
    assert f"@{socket.gethostname()} (process {holder.pid}, since 20" in why


def test_holder_just_begun(state, holder, monkeypatch):
    """A holder that has only just taken the lock is given the moment in which it writes its name down."""
    name = state.folder / "run.holder"
    told = name.read_text()
    name.unlink()
    monkeypatch.setattr("time.sleep", lambda _: name.write_text(told))

    with pytest.raises(EngineError) as caught, state.lock("run"):
        pytest.fail("it was held twice")
    assert f"(process {holder.pid}, since 20" in caught.value.why


def test_unnamed_holder(state, holder, monkeypatch):
    """A holder that does not say its name is unknown."""
    monkeypatch.setattr("dockyard.state.NAMED_SECONDS", 0)
    (state.folder / "run.holder").unlink()

    with pytest.raises(EngineError) as caught, state.lock("run"):
        pytest.fail("it was held twice")
    assert caught.value.why == "It is an unknown process."


def test_holder_killed(state, holder):
    """The lock of a process that was killed is free, and the next one to be named is the new holder."""
    holder.kill()
    holder.wait()

    with state.lock("run"):
        with pytest.raises(EngineError) as caught, State(state.folder).lock("run"):
            pytest.fail("it was held twice")
        assert f"(process {os.getpid()}, since " in caught.value.why


def test_lock_unwritable(tmp_path):
    """A lock in a folder that cannot be made is an error with three lines."""
    (tmp_path / ".dockyard").write_text("")

    with pytest.raises(EngineError) as caught, State(tmp_path / ".dockyard").lock("run"):
        pytest.fail("it was held")

    assert ".dockyard" in sentences(caught.value)[0]


def test_sorted_json(state):
    """A record's text does not depend on the order in which it was made."""
    one = state.write_record("1.json", {"a": 1, "b": 2}).read_text()

    assert state.write_record("2.json", {"b": 2, "a": 1}).read_text() == one
    assert json.loads(one) == {"a": 1, "b": 2}
