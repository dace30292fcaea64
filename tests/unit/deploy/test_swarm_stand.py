"""How an update stands, by what a real swarm told in each state."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dockyard.deploy.swarm.stand import Asked, stand
from dockyard.engines.swarm_facts import read_service, read_task
from support import recorded


def read(name):
    """Return the service and the tasks of a recorded state."""
    told = json.loads(recorded(f"swarm/{name}.json"))
    return read_service(told["service"]), [read_task(each) for each in told["tasks"]]


def asked_for(made_of, **changed):
    return replace(Asked(made_of=made_of, replicas=2, before=frozenset(), wait=60, monitor=4), **changed)


def judged(name, **changed):
    """Return how a recorded state stands, for the release that was asked for then."""
    service, tasks = read(name)
    # A rollback changes the service back: what was asked for is what the failed task is made of.
    failed = [each for each in tasks if each.failed]
    return stand(asked_for(failed[0].made_of if failed else service.made_of, **changed), service, tasks)


@pytest.mark.parametrize(
    ("name", "verdict", "new", "old", "failed"),
    [
        ("first", "under way", 0, 0, 0),
        ("updating", "under way", 1, 1, 0),
        ("completed", "complete", 2, 0, 0),
        ("rollback-started", "under way", 0, 2, 1),
        ("rollback-completed", "rolled back", 0, 2, 1),
    ],
)
def test_recorded(name, verdict, new, old, failed):
    """Each state is what it was: which tasks are new, which are old, which failed."""
    found = judged(name)
    assert (found.verdict, found.new, found.old, len(found.failed)) == (verdict, new, old, failed)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("first", "0 of 2 new tasks are healthy"),
        ("updating", "1 of 2 new tasks are healthy, 1 earlier still run"),
        ("completed", "2 of 2 new tasks are healthy"),
        ("rollback-completed", "rollback completed; 2 of 2 earlier tasks run"),
    ],
)
def test_words(name, words):
    """A person is told how many run, and what Swarm says of a rollback."""
    assert judged(name).words == words


def test_waits():
    """A task that finds no node says why."""
    service, tasks = read("first")
    waiting = [replace(each, state="pending", error="no suitable node") for each in tasks]
    found = stand(asked_for(service.made_of), service, waiting)
    assert found.words == "0 of 2 new tasks are healthy; waiting: no suitable node"


def test_earlier_failures():
    """Tasks that failed before say nothing of this release, though they are made of the same."""
    service, tasks = read("rollback-completed")
    (failed,) = [each for each in tasks if each.failed]
    found = stand(asked_for(failed.made_of, before=frozenset({failed.id})), service, tasks)
    assert found.failed == ()


def test_first_release_fails():
    """A first release fails with its first task that ends: Swarm would go on for ever."""
    service, tasks = read("first")
    ended = [replace(tasks[0], state="failed", desired="shutdown"), *tasks[1:]]
    assert stand(asked_for(service.made_of), service, ended).verdict == "failed"


def test_update_fails_when_swarm_says_so():
    """Of an update a failed task is no end yet: Swarm brings the old one back, and says when it has."""
    service, tasks = read("rollback-completed")
    (failed,) = [each for each in tasks if each.failed]
    asked = asked_for(failed.made_of)
    for update, verdict in (
        ("updating", "under way"),
        ("rollback_paused", "rollback failed"),
        ("paused", "failed"),
    ):
        assert stand(asked, replace(service, update=update), tasks).verdict == verdict


def test_not_whole_while_others_run():
    """As long as a task of the release before runs, nothing is complete; one that is to end runs no more."""
    service, tasks = read("completed")
    (first, second) = [each for each in tasks if each.runs]
    other = replace(first, id="other", made_of={})
    asked = asked_for(service.made_of)
    assert stand(asked, service, [first, second, other]).verdict == "under way"
    ending = replace(other, desired="shutdown")
    assert stand(asked, service, [first, second, ending]).verdict == "complete"


def test_completed_with_a_task_missing():
    """An update that Swarm calls completed is so only while all tasks run."""
    service, tasks = read("completed")
    (first, *_) = [each for each in tasks if each.runs]
    less = [replace(each, state="starting") if each.id == first.id else each for each in tasks]
    assert stand(asked_for(service.made_of), service, less).verdict == "under way"


def test_nothing_asked_for():
    """Where nothing was to be done, a rollback that was before is not this one's end."""
    service, tasks = read("rollback-completed")
    found = stand(asked_for(service.made_of, just_now=False), service, tasks)
    assert (found.verdict, found.message) == ("complete", "")
