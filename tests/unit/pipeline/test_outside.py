"""Pins of what the Dockerfile names: what a build is asked with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.engines import Engine
from dockyard.machine import pins
from dockyard.pipeline import Project
from dockyard.pipeline.outside import named, pinned
from dockyard.pipeline.planned import planned
from dockyard.plan.labels import BASE_DIGEST, BASE_NAME
from dockyard.report.console import Console
from dockyard.settings import load
from unit.machine.conftest import FakeBuildx, FakeDaemon, facts
from unit.machine.test_pins import DIGEST, PIN

BASE = PIN.reference
ASSEMBLED = f"dockyard.local/{BASE}"
FRONTEND, TOOLS, UNUSED = "docker/dockerfile:1", "tools:3.12", "dev:1"
DOCKERFILE = f"""\
# syntax={FRONTEND} also this
ARG BASE_IMAGE
FROM {UNUSED} AS development
FROM golang AS golang
FROM ${{BASE_IMAGE}}
COPY --from={TOOLS} /a /a
COPY --from=golang /b /b
"""


class Buildx(FakeBuildx):
    """A docker command line with a builder."""

    def driver(self, builder: str | None) -> str:
        return "docker"


@pytest.fixture
def opened(project):
    """Open a project with these pins, and all of its images in the engine."""
    (project / "Dockerfile").write_text(DOCKERFILE, "utf-8")

    def opened(*references, **changed):
        daemon = FakeDaemon()
        for each in (BASE, FRONTEND, TOOLS, UNUSED, "golang"):
            daemon.there[each] = replace(facts(each), digests=(f"{each.partition(':')[0]}@{DIGEST}",))
        today = pins.today()
        kept = [replace(PIN, reference=each, pinned=today) for each in references]
        if kept:
            pins.write(project / "requirements/bases.toml", kept)
        arguments = {key.replace("__", "."): value for key, value in changed.items()}
        return Project(load(arguments, start=project), Engine(Buildx(daemon), daemon), Console(quiet=True))

    return opened


def test_named(opened):
    """Every image is found, whichever stage uses it; one that has the name of a stage is told."""
    assert named(opened(), "3.12") == {FRONTEND: "", UNUSED: "", "golang": "golang", TOOLS: ""}


def test_asked(opened):
    """What is pinned is a named context of the build, if it uses it; the frontend is an argument with its own words."""
    with planned(opened(BASE, FRONTEND, TOOLS, UNUSED, "golang")) as asked:
        assert asked.images == {FRONTEND: f"{FRONTEND}@{DIGEST}", TOOLS: f"{TOOLS}@{DIGEST}"}
        assert asked.args["BUILDKIT_SYNTAX"] == f"{FRONTEND}@{DIGEST} also this"
        assert asked.args["BASE_IMAGE"] == f"{BASE}@{DIGEST}"
        assert asked.options()["build_contexts"] == {TOOLS: f"docker-image://{TOOLS}@{DIGEST}"}


def test_own_frontend(opened):
    """A frontend that the settings ask for is not replaced."""
    project = opened(FRONTEND, build__args={"BUILDKIT_SYNTAX": "own/frontend:2"})
    with planned(project) as asked:
        assert asked.args["BUILDKIT_SYNTAX"] == "own/frontend:2"


def test_nothing_pinned(opened):
    """Without pins a build is asked for as ever."""
    with planned(opened()) as asked:
        assert (asked.images, "build_contexts" in asked.options(), "BUILDKIT_SYNTAX" in asked.args) == (
            {},
            False,
            False,
        )


def test_pinned(opened):
    """What an audit is told of is pinned whether this build uses it or not, but not what BuildKit would mistake."""
    project = opened(BASE, TOOLS, UNUSED, "golang")
    with planned(project) as asked:
        assert pinned(project, asked) == {TOOLS: DIGEST, UNUSED: DIGEST}


@pytest.mark.parametrize("name", [BASE, f"docker.io/library/{BASE}", f"library/{BASE}"])
def test_base_by_its_name(opened, project, name):
    """Where the Dockerfile names the base itself, in any of its spellings, the one that was found takes its place."""
    (project / "Dockerfile").write_text(f"FROM {name} AS builder\nFROM {name}\nCOPY --from={TOOLS} /a /a\n", "utf-8")
    with planned(opened(BASE, TOOLS)) as asked:
        assert asked.images == {name: f"{BASE}@{DIGEST}", TOOLS: f"{TOOLS}@{DIGEST}"}
        assert asked.options()["build_contexts"][name] == f"docker-image://{BASE}@{DIGEST}"


def test_base_by_its_name_needs_no_pin_of_its_own(opened, project):
    """Where every image must be pinned, the pin of the base is enough for a Dockerfile that names it otherwise."""
    name = f"docker.io/library/{BASE}"
    (project / "Dockerfile").write_text(f"FROM {name}\n", "utf-8")
    with planned(opened(BASE, pin__require=True)) as asked:
        assert asked.images == {name: f"{BASE}@{DIGEST}"}


@pytest.mark.parametrize("text", ["FROM other\n", f"FROM other AS {BASE.partition(':')[0]}\nFROM golang\n"])
def test_another_base(opened, project, text):
    """A Dockerfile that names another base is left alone, and the image is not said to stand on the one found."""
    (project / "Dockerfile").write_text(text, "utf-8")
    with planned(opened(build__labels={BASE_DIGEST: "mine"})) as asked:
        assert asked.images == {}
        assert asked.base_note == ""
        assert (asked.labels.get(BASE_NAME), asked.labels[BASE_DIGEST]) == (None, "mine")


@pytest.mark.parametrize("text", ["ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n", f"FROM {BASE}\n", f"FROM {ASSEMBLED}\n"])
def test_note_of_the_base(opened, project, text):
    """What is to be known of the base is told where the Dockerfile uses it, by whichever name."""
    (project / "Dockerfile").write_text(text, "utf-8")
    made = opened()
    made.engine.daemon.there = {ASSEMBLED: facts(ASSEMBLED)}
    with planned(made) as asked:
        assert asked.base_note == f"Base: {ASSEMBLED}, assembled on this machine; not the official image."
        assert asked.labels[BASE_NAME] == ASSEMBLED
