"""Pins on a machine with fake doors: what is written, and what is left alone; tests/containers has a real registry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from dockyard.engines import Engine, registry
from dockyard.errors import EngineError, SettingsError
from dockyard.machine import pins
from dockyard.pipeline import Project
from dockyard.pipeline.pin import PinOptions, pin_bases, pin_dependencies
from dockyard.report.console import Console
from dockyard.settings import load
from images import saved
from unit.machine.conftest import FakeBuildx, FakeDaemon, facts
from unit.machine.test_pins import DIGEST, OTHER, PIN
from unit.sbom.made import DEBIAN, package, status

PLAIN = PIN.reference
OWN = f"dockyard.local/{PLAIN}"
SILENT = EngineError("It was asked.", "no such host", "Look.")
ASSEMBLED = replace(facts(OWN, dev_dockyard_base="assembled"), digests=(f"dockyard.local/python@{DIGEST}",))
UPDATE, CHECK = PinOptions(update=True), PinOptions(check=True)
YESTERDAY = pins.today() - timedelta(days=1)


@dataclass
class Savings(FakeDaemon):
    """An engine that also saves its images: all are a Debian with one package."""

    def save(self, reference: str):
        yield saved([DEBIAN, status(package("libc6", "1"))])


@pytest.fixture
def daemon():
    """An engine without images, whose registries do not answer."""
    found = Savings()
    found.registry = {PLAIN: SILENT}
    return found


@pytest.fixture
def opened(project, daemon):
    """Open the project on that engine, with pins that were there before."""

    def opened(*kept, **changed):
        arguments = {key.replace("__", "."): value for key, value in changed.items()}
        found = Project(load(arguments, start=project), Engine(FakeBuildx(daemon), daemon), Console(quiet=True))
        if kept:
            pins.write(project / "requirements/bases.toml", kept)
        return found

    return opened


def kept(project):
    return pins.read(project / "requirements/bases.toml")


def test_assembled(opened, daemon, project):
    """Where only an assembled base can be had that is pinned, under its own name and as what it is."""
    daemon.there = {OWN: ASSEMBLED}

    (outcome,) = pin_bases(opened(), PinOptions())

    (written,) = kept(project)
    assert outcome.state == "pinned"
    assert (written.reference, written.assembled, written.digest, written.platforms) == (OWN, True, DIGEST, ())
    assert (written.system, written.packages) == ("debian 12", ("deb libc6 1",))
    assert [end.what for end in outcome.ends] == ["debian 12"]


@pytest.mark.parametrize("options", [PinOptions(), CHECK, UPDATE])
def test_official_pin_outlives_an_assembled_base(opened, daemon, project, options):
    """A machine that has only an assembled base leaves the pin of the official one as it is, and adds none."""
    daemon.there = {OWN: ASSEMBLED}
    (outcome,) = pin_bases(opened(PIN), options)
    assert (outcome.state, outcome.reference) == ("not checked", PLAIN)
    assert "no such host" in outcome.detail
    assert kept(project) == (PIN,)


def test_assembled_moved(opened, daemon, project):
    """An assembled base that is another one by now is said to have moved, and pinned anew when asked for."""
    daemon.there = {OWN: ASSEMBLED}
    old = replace(PIN, reference=OWN, assembled=True, platforms=(), digest=OTHER, contents="")

    (looked,) = pin_bases(opened(old), PinOptions())
    assert looked.state == "moved"
    assert kept(project) == (old,)
    (updated,) = pin_bases(opened(), UPDATE)
    assert updated.state == "updated"
    assert [each.digest for each in kept(project)] == [DIGEST]


def test_update_is_dated(opened, daemon, project):
    """An update that finds nothing new dates the pin anew, so that it is not stale; a look leaves the date."""
    daemon.there = {OWN: ASSEMBLED}
    old = replace(PIN, reference=OWN, assembled=True, digest=DIGEST, pinned=YESTERDAY)

    (looked,) = pin_bases(opened(old), PinOptions())
    assert (looked.state, looked.age, kept(project)) == ("as pinned", 1, (old,))
    pin_bases(opened(), UPDATE)
    assert kept(project) == (replace(old, pinned=pins.today()),)


def test_check_writes_nothing(opened, daemon, project):
    """A check says that a base is not pinned, and pins it not."""
    daemon.there = {OWN: ASSEMBLED}
    (outcome,) = pin_bases(opened(), CHECK)
    assert outcome.state == "not pinned"
    assert not (project / "requirements").exists()


def test_check_dates_nothing(opened, daemon, project):
    """A check writes nothing, whatever else is asked for."""
    daemon.there = {OWN: ASSEMBLED}
    old = replace(PIN, reference=OWN, assembled=True, digest=DIGEST, pinned=YESTERDAY)
    pin_bases(opened(old), PinOptions(update=True, check=True))
    assert kept(project) == (old,)


def test_refused_beside_others(opened, daemon, project):
    """A base that cannot be had at all keeps none of the others from being pinned."""
    daemon.there = {OWN: ASSEMBLED}
    daemon.registry[PLAIN.replace("3.12", "3.13")] = SILENT
    outcomes = pin_bases(opened(pythons=["3.12", "3.13"]), PinOptions())
    assert [each.state for each in outcomes] == ["pinned", "refused"]
    assert [each.reference for each in kept(project)] == [OWN]


def test_others_stay(opened, daemon, project):
    """Pins of other platforms and other bases stay in the file."""
    daemon.there = {OWN: ASSEMBLED}
    foreign = replace(PIN, reference=OWN, platform="linux/arm64", platforms=(), assembled=True)
    pin_bases(opened(foreign), PinOptions())
    assert {each.key for each in kept(project)} == {(OWN, "linux/amd64"), (OWN, "linux/arm64")}


def test_engine_in_place_of_the_registry(opened, daemon, project):
    """Where no registry answers the official image that is here is pinned; a pin is changed by it on request alone."""
    daemon.there = {PLAIN: replace(facts(PLAIN), digests=(f"python@{OTHER}",))}
    (first,) = pin_bases(opened(), PinOptions())
    assert (first.state, first.detail, first.pin.unpublished) == ("pinned", "of this engine", True)

    (looked,) = pin_bases(opened(PIN), PinOptions())
    assert looked.state == "not checked"
    assert "This engine has another one" in looked.detail
    (updated,) = pin_bases(opened(), UPDATE)
    assert (updated.state, [each.digest for each in kept(project)]) == ("updated", [OTHER])


@pytest.mark.parametrize("options", [PinOptions(), UPDATE])
def test_silence_dates_nothing(opened, daemon, project, options):
    """An official pin is not dated anew by an image that was here all along: only a registry can say that it holds."""
    daemon.there = {PLAIN: replace(facts(PLAIN), digests=(f"python@{DIGEST}",))}
    (outcome,) = pin_bases(opened(PIN), options)
    assert outcome.state == "not checked"
    assert "as pinned; no registry was heard" in outcome.detail
    assert kept(project) == (PIN,)


def test_same_contents_under_another_digest(opened, daemon, project, monkeypatch):
    """A registry's digest that is another one has moved, though this platform's image is what it was."""
    layers = replace(facts(PLAIN), digests=(f"python@{OTHER}",), diff_ids=("sha256:1",))
    daemon.there = {PLAIN: layers, f"{PLAIN}@{OTHER}": layers}
    daemon.registry = {PLAIN: OTHER}
    monkeypatch.setattr(registry, "platforms", lambda *_: ("linux/amd64",))
    old = replace(PIN, contents=pins.contents_of(layers), packages=("deb libc6 1",))

    (outcome,) = pin_bases(opened(old), PinOptions())

    assert outcome.state == "moved"
    assert outcome.moved.packages.changes == ()
    assert outcome.moved.facts[0] == ("digest", DIGEST, OTHER)


@pytest.mark.parametrize(("days", "stale"), [(30, False), (31, True)])
def test_stale(opened, daemon, days, stale):
    """A pin is stale once it is older than the settings allow."""
    daemon.there = {OWN: ASSEMBLED}
    old = replace(PIN, reference=OWN, assembled=True, pinned=pins.today() - timedelta(days=days))
    (outcome,) = pin_bases(opened(old), PinOptions())
    assert (outcome.age, outcome.stale) == (days, stale)


TOOLS = "tools:1"
TOOLS_HERE = replace(facts(TOOLS), digests=(f"tools@{DIGEST}",))


@pytest.fixture
def named(project):
    """The project's Dockerfile names another image beside its base."""
    (project / "Dockerfile").write_text(f"ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\nCOPY --from={TOOLS} /a /a\n", "utf-8")


@pytest.mark.usefixtures("named")
def test_other_images(opened, daemon, project, monkeypatch):
    """What the Dockerfile names is pinned as its base is, and said to have moved."""
    monkeypatch.setattr(registry, "platforms", lambda *_: ("linux/amd64",))
    daemon.there = {OWN: ASSEMBLED, TOOLS: TOOLS_HERE}
    daemon.registry = {}
    outcomes = pin_bases(opened(), PinOptions())
    assert [(each.reference, each.state) for each in outcomes] == [(OWN, "pinned"), (TOOLS, "pinned")]
    assert {each.reference: each.digest for each in kept(project)} == {OWN: DIGEST, TOOLS: DIGEST}

    daemon.there[TOOLS] = daemon.there[f"{TOOLS}@{OTHER}"] = replace(TOOLS_HERE, digests=(f"tools@{OTHER}",))
    daemon.registry[TOOLS] = OTHER
    moved = pin_bases(opened(), CHECK)[1]
    assert (moved.state, moved.moved.facts) == ("moved", (("digest", DIGEST, OTHER),))


@pytest.mark.usefixtures("named")
def test_only_in_the_engine(opened, daemon, project):
    """What no registry has is pinned as that, checked by what the engine has, and pinned anew on request alone."""
    daemon.there = {OWN: ASSEMBLED, TOOLS: TOOLS_HERE}
    daemon.registry = {}
    pin_bases(opened(), PinOptions())
    assert [each.unpublished for each in kept(project)] == [False, True]
    assert [each.state for each in pin_bases(opened(), CHECK)] == ["as pinned", "as pinned"]

    daemon.there[TOOLS] = replace(TOOLS_HERE, digests=(f"tools@{OTHER}",))
    assert pin_bases(opened(), PinOptions())[1].state == "moved"
    assert pin_bases(opened(), UPDATE)[1].state == "updated"
    assert [each.digest for each in kept(project)] == [DIGEST, OTHER]


def test_named_twice(opened, daemon, project):
    """An assembled base that the Dockerfile also names itself is one line and one pin."""
    (project / "Dockerfile").write_text(f"ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\nCOPY --from={OWN} /a /a\n", "utf-8")
    daemon.there = {OWN: ASSEMBLED}
    assert [each.reference for each in pin_bases(opened(), PinOptions())] == [OWN]


@pytest.mark.usefixtures("named")
def test_base_with_digest(opened, daemon, project):
    """Where the settings name the base's digest there is still what the Dockerfile names."""
    daemon.there = {TOOLS: TOOLS_HERE}
    outcomes = pin_bases(opened(build__base=f"python:3.12@{DIGEST}"), PinOptions())
    assert [each.reference for each in outcomes] == [TOOLS]


def test_hidden_by_a_stage(opened, daemon, project):
    """An image that has the name of a stage is refused, as BuildKit would drop that stage for it."""
    (project / "Dockerfile").write_text("FROM golang AS golang\nRUN true\n", "utf-8")
    daemon.there = {OWN: ASSEMBLED}
    _, refused = sorted(pin_bases(opened(), PinOptions()), key=lambda each: each.reference)
    assert (refused.reference, refused.state, refused.todo) == ("golang", "refused", "Give that stage another name.")
    assert [each.reference for each in kept(project)] == [OWN]


def test_digest_in_settings(opened):
    """Where the settings name a digest there is nothing to pin, and that is said."""
    with pytest.raises(SettingsError, match="nothing to pin"):
        pin_bases(opened(build__base=f"python@{DIGEST}"), PinOptions())


def test_no_engine(opened, daemon):
    """Without an engine that is said once, not once for every base."""
    daemon.refusals = ["connection refused"]
    with pytest.raises(EngineError, match="does not answer"):
        pin_bases(opened(), PinOptions())


def test_no_locks(opened):
    """Without a lock in the settings the error says how one is named."""
    with pytest.raises(SettingsError) as caught:
        pin_dependencies(opened(), cooldown=7, check=False)
    assert "locks = {" in caught.value.todo
