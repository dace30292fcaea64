"""`invoke cache` as it is typed."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
from invoke.collection import Collection

from dockyard.cache import carry
from dockyard.tasks.cache import cache as task
from images import file, folder, tar
from support import BASE
from unit.report.schemas import check

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = """
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY lock.txt ./
RUN --mount=type=cache,target=/c --mount=type=cache,id=d,target=/d,uid=7 true
"""
RECORD = """ID:\t\t{id}
Size:\t\t{size}
Description:\tcached mount {target} from exec /bin/sh -c true with id "/{name}"
Usage count:\t3
Last used:\t{age} ago
Type:\t\texec.cachemount

"""
KEPT = RECORD.format(id="one", size="305.5MB", target="/c", name="/c", age="9 days")
KEPT += RECORD.format(id="two", size="1kB", target="/d", name="d", age="2 hours") + "Total:\t\t12GB\n"
OLD = tar(folder("./", mtime=5), file("./old", b"x" * 3000, mtime=1), file("./new", b"y" * 50, mtime=2))


@pytest.fixture
def cache(invoke, on_engine, recorder, project):
    """Type `invoke cache …` in a project with two cache mounts."""
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / "lock.txt").write_text("1")
    recorder.answer("buildx du", output=KEPT)
    return lambda line="": invoke(f"cache {line}", Collection(task))


@pytest.fixture
def mounts(monkeypatch):
    """Stand for the builds that reach into the mounts: what comes out of each, and what was put in."""
    inside, put = [OLD, tar()], {}

    def take_out(plan, wanted, engine, place):
        paths = [place / f"{number}.tar" for number, _ in enumerate(wanted)]
        for path, content in zip(paths, inside, strict=True):
            path.write_bytes(content)
        return paths

    def put_in(plan, wanted, engine, place):
        put.update({each.id: (place / f"{number}.tar").read_bytes() for number, each in enumerate(wanted)})

    monkeypatch.setattr(carry, "take_out", take_out)
    monkeypatch.setattr(carry, "put_in", put_in)
    return inside, put


def builds(recorder) -> list[str]:
    """The contents of the builds that docker was asked for."""
    return [" ".join(each) for each in recorder.calls if each[:2] == ["buildx", "build"]]


def test_table(cache):
    """What is kept is told with its size, uses and age; and what it takes of GitHub's quota."""
    done = cache()
    assert done.code == 0
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[1] == ["mounts", "/c", "305.5", "MB", "1", "3", "9", "d", "ago"]
    assert rows[2] == ["mounts", "d", "1.0", "kB", "1", "3", "2", "h", "ago"]
    assert "305.5 MB of tiny-service; builder one keeps 305.5 MB." in done.out
    assert "No build is recorded, so that no step is known: run `invoke build`." in done.out
    assert "a branch takes 305.5 MB (1 Python: layers 0 B before compression" in done.out
    assert done.out.endswith("so 32 fit.\n")


def test_json(cache):
    """The same as a document."""
    told = json.loads(cache("--format json").out)
    assert told["version"] == 1
    assert [(each["kind"], each["what"], each["age"]) for each in told["kept"]] == [
        ("mounts", "/c", 777600),
        ("mounts", "d", 7200),
    ]
    assert told["forecast"]["branches"] == 32
    check(told, "cache")


def test_key(cache, invoke, project, recorder, monkeypatch):
    """The key is one line, asks no engine, and changes with the lock."""
    first = cache("--key")
    assert first.out.startswith("mounts-tiny-service-py3.12-")
    assert recorder.told == []
    (project / "lock.txt").write_text("2")
    assert cache("--key").out != first.out


def test_export_and_import(cache, mounts, project):
    """What comes out goes in again, unless the locks are others, which is said."""
    done = cache("--export a.tar.zst")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[:2] == ["/c: 3.0 kB", "d: 0 B"]
    assert lines[2].startswith("a.tar.zst: ")
    assert lines[3] == f"key: {cache('--key').out.strip()}"

    done = cache("--import a.tar.zst")
    assert done.code == 0
    assert done.out.endswith("of these locks.\n")
    assert mounts[1] == {"/c": OLD, "d": mounts[0][1]}
    (project / "lock.txt").write_text("2")
    assert cache("--import a.tar.zst").out.endswith("of other locks: what they have in common is saved.\n")


def test_mounts_that_are_gone(cache, mounts, project):
    """What no step mounts any more is left out, and each of the others gets its own."""
    cache("--export a.tar.zst")
    (project / "Dockerfile").write_text(DOCKERFILE.replace("--mount=type=cache,target=/c", ""))
    done = cache("--import a.tar.zst")
    assert "/c: left out, no step of the Dockerfile mounts it" in done.out
    assert mounts[1] == {"d": mounts[0][1]}


def test_mounts_that_begin_with_files(cache, mounts, project):
    """A mount that cannot be carried is told beside those that are, with what helps; alone it is an error."""
    other = "RUN --mount=type=cache,from=tools:1,target=/begun true"
    (project / "Dockerfile").write_text(f"{DOCKERFILE}{other}\n")
    done = cache("--export a.tar.zst")
    assert done.code == 0
    assert "/begun is left out: it begins with the files of tools:1, which is not pinned" in done.err
    check(json.loads(cache("--export a.tar.zst --format json").out), "mounts")

    (project / "Dockerfile").write_text(f"ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\n{other}\n")
    done = cache("--export a.tar.zst")
    assert done.code == 2
    assert "has no cache mount that can be carried" in done.err
    assert "Run `invoke pin`." in done.err


def test_limit(cache, mounts, monkeypatch):
    """What has no room is left out, the oldest first, which is said."""
    monkeypatch.setenv("DOCKYARD_CACHE_MOUNTS_SIZE", "1k")
    assert cache("--export a.tar.zst").out.splitlines()[0] == "/c: 50 B; 3.0 kB had no room, the oldest"


def test_nothing_to_export(cache, mounts, project):
    """Where all mounts are empty the archive of before stays: a build that took all from its cache filled none."""
    cache("--export a.tar.zst")
    before = (project / "a.tar.zst").read_bytes()
    mounts[0][:] = [tar(folder("./")), tar()]
    done = cache("--export a.tar.zst")
    assert done.code == 0
    assert "Nothing is in the cache mounts, so a.tar.zst was not written." in done.out
    assert (project / "a.tar.zst").read_bytes() == before


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("--import none", 3, "There is no archive none"),
        ("--import lock.txt", 3, "lock.txt is damaged, and nothing of it was used"),
        ("--export no/such/file", 2, "There is no folder no/such"),
        ("--export .", 2, "It is a folder"),
        ("--export a --key", 2, "It is not clear what is meant"),
        ("--older 7d", 2, "Nothing is pruned without --prune"),
        ("--prune --older soon", 2, "--older soon is unknown"),
        ("--prune --keep-storage 5", 2, "--keep-storage 5 is unknown"),
        ("--prune", 2, "Standard input is no terminal"),
        ("--format xml", 2, "--format xml is unknown"),
    ],
)
def test_refused(cache, mounts, project, line, code, said):
    """What cannot be is refused in three lines, and nothing is done."""
    before = sorted(project.iterdir())
    done = cache(line)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 3
    assert mounts[1] == {}
    assert sorted(project.iterdir()) == before


def test_no_cache_mount(cache, project):
    """A Dockerfile without one is told how it gets one."""
    (project / "Dockerfile").write_text(f"FROM {BASE}\n")
    done = cache("--export a")
    assert done.code == 2
    assert "Dockerfile has no cache mounts." in done.err


class Terminal(io.StringIO):
    """Standard input with somebody at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def exported(project) -> Path:
    """A folder of exported layers."""
    layers = project / ".dockyard/layers/py3.12"
    layers.mkdir(parents=True)
    (layers / "index.json").write_text("{}")
    return layers


@pytest.mark.parametrize(("answer", "gone"), [("yes\n", True), ("no\n", False), ("", False)])
def test_question(cache, exported, recorder, monkeypatch, answer, gone):
    """Nothing goes without a yes to what is named."""
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    done = cache("--prune")
    assert "  mounts  /c  305.5 MB, last used 9 d ago\n" in done.err
    assert "share its contents" in done.err
    assert exported.exists() != gone
    assert bool(builds(recorder)) == gone
    assert ("Nothing was removed." in done.err) != gone


def test_prune(cache, exported, recorder):
    """What goes is said; no record of the builder goes unless it is asked for."""
    done = cache("--prune --yes")
    assert done.out.splitlines() == [
        "contents of the cache mount /c",
        "contents of the cache mount d",
        "layers exported to .dockyard/layers/py3.12",
    ]
    assert len(builds(recorder)) == 1
    assert not [each for each in recorder.calls if "prune" in each]


def test_prune_by_age(cache, exported):
    """What was used lately stays; where all was, nothing is asked."""
    assert cache("--prune --yes --older 7d").out.splitlines() == ["contents of the cache mount /c"]
    assert cache("--prune --yes --older 30d").out == "Nothing is to go.\n"
    assert cache("--prune --yes --keep-storage 1g").out == "Nothing is to go.\n"
    assert exported.exists()
