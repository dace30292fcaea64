"""What a build takes in the places of the images that the Dockerfile names itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dockyard.errors import EngineError
from dockyard.machine import pins
from dockyard.machine.others import others_for
from dockyard.machine.pins import Pinning
from dockyard.machine.search import Search
from support import sentences
from unit.machine.conftest import facts
from unit.machine.test_pins import DIGEST, OTHER, PIN

NAME = "tools:1"
PINNED = replace(PIN, reference=NAME, pinned=pins.today())
BY_DIGEST = f"{NAME}@{DIGEST}"
HERE = replace(facts(NAME), digests=(f"tools@{DIGEST}",))
MOVED = replace(facts(NAME), digests=(f"tools@{OTHER}",))


@pytest.fixture
def others(wanted, doors, tmp_path):
    """Return what a build takes where these pins are kept."""

    def others(*kept, references=(NAME,), required=False, **changed):
        file = tmp_path / "bases.toml"
        pins.write(file, kept)
        pinning = Pinning(file=file, max_age=30, required=required)
        search = Search(wanted=replace(wanted, pinning=pinning, **changed), engine=doors, environment={})
        return others_for(search, references)

    return others


def test_here(others, doors):
    """What is here as it is pinned is taken by its digest, and no registry is asked."""
    doors.daemon.there = {NAME: HERE}
    found = others(PINNED)
    assert (found.images, found.notes) == ({NAME: BY_DIGEST}, ())
    assert doors.daemon.asked == []


def test_tag_moved(others, doors):
    """What the tag names by now, here and in the registry, is not taken: the pinned one is pulled."""
    doors.daemon.there = {NAME: MOVED}
    doors.daemon.registry = {NAME: OTHER, BY_DIGEST: DIGEST}
    assert others(PINNED).images == {NAME: BY_DIGEST}
    assert doors.buildx.calls == [("pull", BY_DIGEST)]


def test_mirror(others, doors):
    """A mirror is asked in place of the public registry, and the image is taken under the name that it has there."""
    doors.daemon.registry = {f"mirror.corp/{BY_DIGEST}": DIGEST}
    assert others(PINNED, mirror="mirror.corp").images == {NAME: f"mirror.corp/{BY_DIGEST}"}


def test_gone(others, doors):
    """One that cannot be had as it is pinned ends the build: by its name, with the reason and what to do."""
    doors.daemon.there = {NAME: MOVED}
    doors.daemon.registry = {BY_DIGEST: EngineError("It was asked.", "no such host", "Look.")}
    with pytest.raises(EngineError) as caught:
        others(PINNED)
    what, why, todo = sentences(caught.value)
    assert what == "There is no tools:1 that is as pinned."
    assert why.startswith(f"{NAME} is here as {OTHER}; {DIGEST} is pinned.")
    assert "invoke pin --update" in todo


def test_unpublished(others, doors):
    """An image that was pinned as the engine has it is taken by its name, as no digest would find it; no other is."""
    pin = replace(PINNED, unpublished=True)
    doors.daemon.there = {NAME: HERE, BY_DIGEST: HERE}
    assert others(pin).images == {NAME: NAME}
    doors.daemon.there = {NAME: MOVED}
    with pytest.raises(EngineError, match="as pinned"):
        others(pin)


def test_only_here(others, doors):
    """An image that no registry has is pinned as the engine has it, and taken by its name once it was compared."""
    pin = replace(PINNED, reference="dockyard.local/tools:1", assembled=True)
    there = replace(facts(pin.reference, dev_dockyard_base="assembled"), digests=(f"dockyard.local/tools@{DIGEST}",))
    doors.daemon.there = {pin.reference: there}
    found = others(pin, references=[pin.reference])
    assert (found.images, found.notes) == ({pin.reference: pin.reference}, ())

    doors.daemon.there = {pin.reference: replace(there, digests=(f"dockyard.local/tools@{OTHER}",))}
    (note,) = others(pin, references=[pin.reference]).notes
    assert "`invoke pin` says what moved" in note


def test_stale(others, doors):
    """A pin that is too old is told with its age."""
    doors.daemon.there = {NAME: HERE}
    old = replace(PINNED, pinned=pins.today() - timedelta(days=31))
    (note,) = others(old).notes
    assert note.startswith("The pin of tools:1 is 31 days old")


def test_not_pinned(others, doors):
    """What has no pin is left to BuildKit, unless all must be pinned."""
    assert others(PIN).images == {}
    assert (doors.daemon.asked, doors.buildx.calls) == ([], [])
    with pytest.raises(EngineError, match="Nothing is built with tools:1"):
        others(PIN, required=True)
