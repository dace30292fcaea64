"""Locks, compiled by uv itself from an index on this machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dockyard import pin
from dockyard.engines import process
from dockyard.errors import EngineError, SettingsError
from dockyard.pin import locked, locks
from support import SECRET
from unit.pin.index import serving

PYPROJECT = """
[project]
name = "tiny-service"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["alpha"]

[dependency-groups]
service = ["alpha", "beta; python_version < '3.13'"]
broken = ["nowhere"]
"""
SERVICE = pin.LockFile(name="requirements/service.txt", groups=("service",))


@pytest.fixture(scope="module")
def index():
    """An index with alpha, new and old, and beta, which alpha's new version wants."""
    with serving() as index:
        index.publish("alpha", "1.0", days=30)
        index.publish("alpha", "2.0", days=3, needs=("gamma",))
        index.publish("beta", "1.0", days=30)
        index.publish("gamma", "1.0", days=3)
        index.publish("timeless", "1.0", days=None)
        yield index


@pytest.fixture
def compiling(project, index, tmp_path):
    """Compile locks of the project from that index alone, or with a cooldown in days."""
    (project / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    environment = {"UV_DEFAULT_INDEX": index.address, "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_NO_CONFIG": "1"}

    def compiling(*asked, days=0, **changed):
        before = datetime.now(UTC) - timedelta(days=days) if days else None
        told = {**environment, **changed}
        return pin.compile_locks(project, asked or (SERVICE,), python="3.11", before=before, environment=told)

    return compiling


def test_lock(compiling, index):
    """A lock is exact and hashed, with markers for other Pythons, and names no index."""
    (done,) = compiling()

    assert "alpha==2.0 \\\n    --hash=sha256:" in done.text
    assert "beta==1.0 ; python_full_version < '3.13'" in done.text
    assert "127.0.0.1" not in done.text
    assert {each.name for each in locked.read(done.text)} == {"alpha", "beta", "gamma"}
    assert done.differs


def test_cooldown(compiling):
    """With a cooldown nothing enters that was uploaded later, nor what only that wants."""
    (done,) = compiling(days=7)
    assert [(each.name, each.version) for each in locked.read(done.text)] == [("alpha", "1.0"), ("beta", "1.0")]


def test_changes(compiling, project):
    """What changed is told beside the lock that is there; a lock that is the same again does not differ."""
    (old,) = compiling(days=7)
    pin.write_locks(project, [old])
    (new,) = compiling()
    (same,) = compiling(days=7)

    assert [(each.how, each.name, each.new) for each in new.changes.changes] == [
        ("changed", "alpha", ("2.0",)),
        ("added", "gamma", ("1.0",)),
    ]
    assert (same.differs, same.changes.changes, same.files) == (False, (), {})


def test_other_files(compiling, project):
    """A distribution of the same version whose files are others is told: nobody else would notice."""
    (now,) = compiling()
    (project / "requirements").mkdir()
    hashed = next(iter(locked.read(now.text)[0].hashes))
    (project / SERVICE.name).write_text(now.text.replace(hashed, "sha256:" + "0" * 64), "utf-8")

    (again,) = compiling()

    assert again.files == {"alpha 2.0": (1, 1)}
    assert again.changes.changes == ()


def test_project_itself(compiling):
    """`.` is the project's own dependencies."""
    (done,) = compiling(pin.LockFile(name="own.txt", groups=(".",)))
    assert {each.name for each in locked.read(done.text)} == {"alpha", "gamma"}


def test_all_or_none(compiling, project):
    """Where one lock cannot be compiled none is changed, and uv's own reason is told."""
    (old,) = compiling(days=7)
    pin.write_locks(project, [old])

    with pytest.raises(EngineError) as caught:
        compiling(SERVICE, pin.LockFile(name="broken.txt", groups=("broken",)))

    assert caught.value.what == "broken.txt could not be compiled, so no lock was changed."
    assert "nowhere" in caught.value.why
    assert (project / SERVICE.name).read_text("utf-8") == old.text


def test_index_without_times(compiling, project):
    """An index that does not tell when files were uploaded cannot be used with a cooldown, and the error says so."""
    text = PYPROJECT.replace("nowhere", "timeless")
    (project / "pyproject.toml").write_text(text, "utf-8")
    lock = pin.LockFile(name="broken.txt", groups=("broken",))

    with pytest.raises(EngineError) as caught:
        compiling(lock, days=7)

    assert "`--cooldown 0`" in caught.value.todo
    assert locked.read(compiling(lock)[0].text)[0].name == "timeless"


def test_password(compiling, index):
    """The index's password reaches it, and is in no argument and in no error."""
    address = index.address.replace("://", f"://user:{SECRET}@")
    compiling(UV_DEFAULT_INDEX=address)
    assert any(each.startswith("Basic ") for each in index.authorizations)

    with pytest.raises(EngineError) as caught:
        compiling(pin.LockFile(name="broken.txt", groups=("broken",)), UV_DEFAULT_INDEX=address)
    assert SECRET not in str(caught.value)


def test_unreachable(compiling):
    """An index that does not answer is named without its password."""
    with pytest.raises(EngineError) as caught:
        compiling(UV_DEFAULT_INDEX=f"http://user:{SECRET}@127.0.0.1:1/simple", UV_HTTP_RETRIES="0")
    assert SECRET not in str(caught.value)
    assert "127.0.0.1:1" in caught.value.why


def test_password_in_what_uv_says(compiling, monkeypatch):
    """A password that uv would print is not in our error; neither are its warnings and its drawing."""
    address = f"https://user:{SECRET}@index.example/simple/"
    said = f"warning: odd\n  \u00d7 Failed to fetch: `{address}`\n  ╰─▶ no such host\n"
    monkeypatch.setattr(process, "run", lambda *_, **__: process.Completed(code=2, output="", error=said))
    with pytest.raises(EngineError) as caught:
        compiling()
    assert caught.value.why == "Failed to fetch: `https://[REDACTED]@index.example/simple/`\nno such host"


def test_write_all_or_none(project):
    """Locks are written all together: where one cannot be, the others are as they were and nothing is left."""
    (project / "folder.txt").mkdir()
    kept = project / "kept.txt"
    kept.write_text("old", "utf-8")
    before = sorted(each.name for each in project.iterdir())
    empty = locks.sbom.compare((), (), reference="")
    made = [
        pin.Compiled(name=name, text="new", differs=True, changes=empty, files={})
        for name in ("folder.txt/a/b", "kept.txt/no")
    ]
    with pytest.raises(SettingsError, match="as they were"):
        pin.write_locks(project, made)
    assert kept.read_text("utf-8") == "old"
    assert sorted(each.name for each in project.iterdir()) == before


def test_no_uv(monkeypatch, project):
    """Where there is no uv the error says how to get it."""
    monkeypatch.setattr(locks.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(process, "find", lambda program: None)
    with pytest.raises(EngineError) as caught:
        pin.compile_locks(project, [SERVICE], python="3.11", before=None, environment={})
    assert caught.value.todo == "Run `python -m pip install uv`."


def test_read():
    """A lock's requirement is read with extras, markers and hashes; comments and options are none."""
    text = "# a\n--no-binary :all:\nA_b[c]==1.0 ; x \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\nd @ file:///x\n"
    assert [(each.name, each.version, each.hashes) for each in locked.read(text)] == [
        ("a-b", "1.0", {"sha256:1", "sha256:2"}),
        ("d", "", frozenset()),
    ]
