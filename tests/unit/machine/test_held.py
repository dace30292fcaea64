"""What a build stands on where bases are pinned: each case of what is pinned, what is here, and what can be had."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from datetime import timedelta

import pytest

from dockyard.errors import EngineError
from dockyard.machine import bases, pins
from dockyard.machine.pins import Pinning
from dockyard.machine.search import Search
from unit.machine.conftest import facts
from unit.machine.test_pins import DIGEST, OTHER, PIN

PLAIN = PIN.reference
OWN = f"dockyard.local/{PLAIN}"
BY_DIGEST = f"{PLAIN}@{DIGEST}"
UNREACHABLE = EngineError("It was asked.", "no such host", "Look.")
OFFICIAL = replace(facts(PLAIN), digests=(f"python@{DIGEST}",))
MOVED = replace(facts(PLAIN), digests=(f"python@{OTHER}",))
ASSEMBLED = replace(facts(OWN, dev_dockyard_base="assembled"), digests=(f"dockyard.local/python@{DIGEST}",))
FRESH = replace(PIN, pinned=pins.today())


@pytest.fixture
def searching(wanted, doors, tmp_path):
    """Return a search where these pins are kept."""

    def search(*kept, required=False, **changed):
        file = tmp_path / "bases.toml"
        pins.write(file, kept)
        pinning = Pinning(file=file, max_age=30, required=required)
        asked = replace(wanted, pythons=("3.12",), pinning=pinning, **changed)
        return Search(wanted=asked, engine=doors, environment={})

    return search


@pytest.fixture
def pinned(searching):
    """Return the base that a build gets where these pins are kept."""

    def base(*kept, **changed):
        return bases.base_for(searching(*kept, **changed), "3.12")

    return base


def test_as_pinned(pinned, doors):
    """The pinned base that is here is built on by its digest, and nothing is said."""
    doors.daemon.there = {PLAIN: OFFICIAL}
    base = pinned(FRESH)
    assert (base.reference, base.pinned, base.note) == (PLAIN, BY_DIGEST, "")
    assert doors.daemon.asked == []


def test_tag_moved_here(pinned, doors):
    """Where the tag names another image by now, the pinned one is taken if it is here too."""
    doors.daemon.there = {PLAIN: MOVED, BY_DIGEST: OFFICIAL}
    base = pinned(FRESH)
    assert (base.reference, base.pinned, base.digest, base.note) == (BY_DIGEST, BY_DIGEST, DIGEST, "")


@pytest.mark.parametrize("here", [{}, {PLAIN: MOVED}, {PLAIN: MOVED, OWN: ASSEMBLED}])
def test_pulled_by_digest(pinned, doors, here):
    """What is pulled is the pinned digest, whatever the tag names in the registry; a tag that is here stays."""
    doors.daemon.there = dict(here)
    doors.daemon.registry = {PLAIN: OTHER, BY_DIGEST: DIGEST}

    base = pinned(FRESH)

    assert base.pinned == BY_DIGEST
    assert doors.buildx.calls == [("pull", BY_DIGEST), *([] if here else [("tag", BY_DIGEST, PLAIN)])]


def test_moved_and_unreachable(pinned, doors):
    """Nothing is built on another official image than the pinned one: both are named, and why it cannot be had."""
    doors.daemon.there = {PLAIN: MOVED}
    doors.daemon.registry = {BY_DIGEST: UNREACHABLE}

    with pytest.raises(EngineError) as caught:
        pinned(FRESH)

    assert caught.value.what == "There is no base image for Python 3.12 that is as pinned."
    assert f"{PLAIN} is here as {OTHER}; {DIGEST} is pinned. Asking the public registry failed" in caught.value.why
    assert "invoke pin --update" in caught.value.todo


def test_assembled_in_place_of_pinned(pinned, doors):
    """A machine that has only an assembled base builds on it, and says that it is not the pinned one."""
    doors.daemon.there = {OWN: ASSEMBLED}

    base = pinned(FRESH)

    assert (base.pinned, base.official) == (OWN, False)
    assert "Its pin is not used" in base.note
    assert "assembled" in base.note


def test_assembled_never_fits_the_official_pin(pinned, doors):
    """An assembled base does not pass for the pinned official one, whatever its digest and its name are."""
    doors.daemon.there = {PLAIN: replace(ASSEMBLED, tags=(PLAIN,))}
    base = pinned(FRESH)
    assert not base.official
    assert "Its pin is not used" in base.note


def test_assembled_as_pinned(pinned, doors):
    """An assembled base that is as it was pinned is built on without a word of that."""
    doors.daemon.there = {OWN: ASSEMBLED}
    assert pinned(replace(FRESH, reference=OWN, assembled=True)).note == ""


def test_assembled_moved(pinned, doors):
    """One that was assembled of other packages, or on another machine, is built on, and both are told."""
    doors.daemon.there = {OWN: ASSEMBLED}
    base = pinned(replace(FRESH, reference=OWN, assembled=True, digest=OTHER, contents=""))
    assert base.reference == OWN
    assert f"{OWN} is {DIGEST[:19]}, and {OTHER[:19]} was pinned" in base.note


@pytest.mark.parametrize("there", [{PLAIN: OFFICIAL}, {OWN: ASSEMBLED}])
def test_no_pin(pinned, doors, there):
    """Where nothing is pinned a build goes on as ever, and says nothing."""
    doors.daemon.there = there
    assert pinned().note == ""


def test_stale(pinned, doors):
    """A pin that is older than the settings allow is told with its age; the build goes on."""
    doors.daemon.there = {PLAIN: OFFICIAL}
    old = replace(PIN, pinned=pins.today() - timedelta(days=31))
    assert "is 31 days old" in pinned(old).note
    assert pinned(replace(old, pinned=pins.today() - timedelta(days=30))).note == ""


@pytest.mark.parametrize(
    ("there", "kept", "why"),
    [
        ({OWN: ASSEMBLED}, (FRESH,), "an assembled base in its place"),
        ({OWN: ASSEMBLED}, (), f"{OWN} has no pin."),
        ({PLAIN: OFFICIAL}, (), f"{PLAIN} has no pin."),
        ({OWN: ASSEMBLED}, (replace(FRESH, reference=OWN, assembled=True, digest=OTHER, contents=""),), "was pinned"),
    ],
)
def test_required(pinned, doors, there, kept, why):
    """Where pins are required nothing is built on what is not as pinned."""
    doors.daemon.there = there
    with pytest.raises(EngineError) as caught:
        pinned(*kept, required=True)
    assert caught.value.what.startswith("Nothing is built on ")
    assert why in caught.value.why


def test_required_and_there(pinned, doors):
    """What is as pinned is built on where pins are required, an old pin too: that is a warning."""
    doors.daemon.there = {PLAIN: OFFICIAL}
    assert "days old" in pinned(PIN, required=True).note


def test_mirror(pinned, doors):
    """What came through a mirror is built on by its digest there, where BuildKit finds it again."""
    mirrored = f"mirror.example/hub/{PLAIN}@{DIGEST}"
    doors.daemon.there = {PLAIN: OFFICIAL, mirrored: OFFICIAL}
    base = pinned(FRESH, mirror="mirror.example/hub")
    assert (base.reference, base.pinned) == (PLAIN, mirrored)


def test_loaded(pinned, doors):
    """The pinned base that was saved elsewhere and loaded has another digest, and is built on by its name."""
    layers = replace(MOVED, diff_ids=("sha256:1",), digests=())
    doors.daemon.there = {PLAIN: layers}
    base = pinned(replace(FRESH, contents=pins.contents_of(layers)))
    assert (base.pinned, base.note) == (PLAIN, "")


def test_other_platform(pinned, doors):
    """A pin of another platform says nothing of this one."""
    doors.daemon.there = {PLAIN: MOVED}
    base = pinned(replace(FRESH, platform="linux/s390x", platforms=()))
    assert base.pinned == f"{PLAIN}@{OTHER}"


def test_setup_gets_the_pinned_one(searching, doors):
    """Setup does not count another image than the pinned one as found: it says so, and pulls the pinned digest."""
    doors.daemon.there = {PLAIN: MOVED}
    doors.daemon.registry = {PLAIN: OTHER, BY_DIGEST: DIGEST}

    (looked,) = bases.look(searching(FRESH))
    (line,) = bases.prepare(searching(FRESH), pytest.fail)

    assert looked.state == "missing"
    assert f"{PLAIN} is not here as it is pinned; setup would pull it" in looked.detail
    assert (line.state, line.detail) == ("done", f"{BY_DIGEST} (pulled from the public registry)")
    assert doors.buildx.calls == [("pull", BY_DIGEST)]


def test_setup_loads_the_pinned_one(searching, doors, tmp_path):
    """A saved image that is not the pinned one is not taken for it, and the reason is told."""
    doors.buildx.loads = (replace(MOVED, tags=(PLAIN,), diff_ids=("sha256:1",)),)
    manifest = tarfile.TarInfo("manifest.json")
    content = json.dumps([{"RepoTags": [PLAIN]}]).encode()
    manifest.size = len(content)
    with tarfile.open(tmp_path / "saved.tar", "w") as archive:
        archive.addfile(manifest, io.BytesIO(content))

    reasons: list[str] = []
    assert searching(FRESH, archives=tmp_path).loaded("3.12", reasons) is None
    assert reasons == [f"{tmp_path / 'saved.tar'} holds another {PLAIN} than the pinned one."]
    fitting = replace(FRESH, contents=pins.contents_of(doors.buildx.loads[0]))
    assert searching(fitting, archives=tmp_path).loaded("3.12", reasons).reference == PLAIN
