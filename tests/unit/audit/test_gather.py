"""Gathering: once for all, only what is needed, and a failure is a reason."""

from __future__ import annotations

import threading

import pytest

from dockyard.audit.evidence import Missing
from dockyard.audit.gather import Source, Watch, gather
from dockyard.errors import EngineError


def source(*names: str, take=None) -> Source:
    return Source(names=names, label=f"taking {names[0]}", take=take or (lambda: dict.fromkeys(names, "there")))


def gathered(needed: set[str], *, read=(), tried=(), release=lambda: None, watch=None) -> dict[str, object]:
    """Gather; each trial is a lane of its own."""
    lanes = [each if isinstance(each, tuple) else (each,) for each in tried]
    return gather(frozenset(needed), read=read, tried=lanes, release=release, watch=watch or Watch())


def refuse() -> dict[str, object]:
    raise EngineError("The engine does not answer.", "Connection\nrefused.", "Start it.")


def test_only_what_is_needed():
    """A source is taken if one of its names is needed, and not otherwise."""
    found = gathered({"image", "stop"}, read=[source("image"), source("lock")], tried=[source("inspect", "stop")])

    assert found == {"image": "there", "inspect": "there", "stop": "there"}


@pytest.mark.parametrize("kind", ["read", "tried"])
def test_failure_is_a_reason(kind):
    """What a source cannot give is missing under all its names, for the reason that it gave, on one line."""
    found = gathered({"image", "lock"}, **{kind: [source("image", "lock", take=refuse)]})

    reason = Missing("The engine does not answer. Connection refused.")
    assert found == {"image": reason, "lock": reason}


def test_trials_run_side_by_side():
    """Two trials that wait for each other both end."""
    meeting = threading.Barrier(2, timeout=20)

    def meet() -> dict[str, object]:
        meeting.wait()
        return {"one": 1}

    assert gathered({"one", "two"}, tried=[source("one", take=meet), source("two", take=meet)])


def test_lanes():
    """The trials of one lane run in turn, though one of them fails."""
    told: list[str] = []
    lane = (
        source("one", take=lambda: told.append("one") or {"one": 1}),
        source("two", take=refuse),
        source("three", take=lambda: told.append("three") or {"three": 3}),
    )
    found = gathered({"one", "two", "three"}, tried=[lane])

    assert told == ["one", "three"]
    assert set(found) == {"one", "two", "three"}


def test_watch():
    """Whoever watches is told the begin and the end of each source, of one that fails too."""
    told: list[str] = []
    watch = Watch(begun=lambda label: told.append(f"+{label}"), ended=lambda label: told.append(f"-{label}"))
    gathered({"one", "two"}, read=[source("one"), source("two", take=refuse)], watch=watch)

    assert told == ["+taking one", "-taking one", "+taking two", "-taking two"]


def test_interrupt_releases_what_runs():
    """Ctrl-C ends what the trials started, lets them end, and goes on."""
    released = threading.Event()
    ended = threading.Event()

    def hang() -> dict[str, object]:
        assert released.wait(20)
        ended.set()
        return {}

    def interrupt() -> dict[str, object]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gathered({"one", "two"}, tried=[source("one", take=hang), source("two", take=interrupt)], release=released.set)
    assert ended.is_set()


def test_mistake_in_a_trial_is_not_hidden():
    """An exception that is no DockyardError is a bug, and ends the audit."""
    with pytest.raises(ZeroDivisionError):
        gathered({"one"}, tried=[source("one", take=lambda: {"one": 1 // 0})])
