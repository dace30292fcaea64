from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.audit.facts.locks import locked as lines
from dockyard.audit.facts.locks import same_version
from dockyard.audit.read import TextFile
from dockyard.audit.rules.supply import LockedWithHashes
from dockyard.audit.rules.supply_pipeline import Pipeline
from dockyard.audit.verdict import Kind, State

from .cases_supply import LOCK, built, locked, run, workflows

ROOT = Path(__file__).parents[4]


def test_lock():
    """A lock is read with its continued lines, markers, extras and comments; lines are told from 1."""
    found = list(lines(TextFile(path="lock", text=LOCK)))
    assert [(each.name, each.version, each.place.line) for each in found] == [
        ("h11", "0.16.0", 3),
        ("uvloop", "0.21.0", 7),
        ("idna", "3.10", 8),
    ]
    assert [each.applies({"sys_platform": "linux"}) for each in found] == [True, True, True]
    assert not found[1].applies({"sys_platform": "win32"})


@pytest.mark.parametrize("text", ["", "\\", "\\\n\\\n", "==", "\x00", "a\\\n# c\nb", "--hash=sha256:aa", "[x]==1"])
def test_odd_locks(text):
    """Whatever a lock holds, it fails or is refused with words, and is no crash."""
    verdict = LockedWithHashes().check(locked() | {"lock": TextFile(path="lock", text=text)})
    assert verdict.state is State.FAIL


@pytest.mark.parametrize(
    "command",
    [
        "PIP_REQUIRE_HASHES=1 pip install -r lock.txt",
        "pip install --no-deps --no-build-isolation .",
        "pip install --no-index --find-links /wheels h11",
        "pip install --no-deps /wheels/shop-1.0-py3-none-any.whl",
        "UV_FROZEN=1 uv sync",
        "uv sync --frozen --no-dev",
        "poetry install --only main",
        "pipenv sync",
        "pip list && pip check",
        "echo uv && rm -r /root/.cache",
    ],
)
def test_held_to_a_lock(command):
    """What fetches nothing, or insists on a lock's hashes in another way, holds; so does what installs nothing."""
    assert LockedWithHashes().check(run(command)).state is State.PASS


def test_variable_of_the_stage():
    """A variable of the stage requires hashes of every install after it."""
    given = built("RUN echo hello", "ENV PIP_REQUIRE_HASHES=1\nRUN pip install -r lock.txt && echo hello")
    assert LockedWithHashes().check(given).state is State.PASS


def test_place_of_an_install():
    """A fault is at the line of its instruction, in a stage that is not shipped too."""
    (proof,) = LockedWithHashes().check(built("--require-hashes ", "")).of(Kind.BROKEN)
    assert (proof.place.file, proof.place.line) == ("Dockerfile", 3)


def test_same_version():
    """Versions are compared as versions; what is none is compared as text."""
    assert same_version("1.0", "1.0.0")
    assert same_version("odd-1~2", "odd-1~2")
    assert not same_version("1.0", "1.0.post1")


def test_own_files():
    """This project's own lock, Dockerfile and workflow hold."""
    lock = TextFile(path="requirements/service.txt", text=(ROOT / "requirements/service.txt").read_text("utf-8"))
    given = locked(dockerfile=(ROOT / "Dockerfile").read_text("utf-8")) | {"lock": lock}
    assert LockedWithHashes().check(given).state is State.PASS
    workflow = TextFile(path="ci.yml", text=(ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    assert Pipeline().check({"workflows": (workflow,)}).state is State.PASS


@pytest.mark.parametrize("text", ["", "jobs: 7", "- 1", "jobs: {a: {steps: [1, {uses: [x]}]}}", "on: x\njobs: {}"])
def test_odd_workflows(text):
    """A workflow of an odd shape is no crash."""
    assert Pipeline().check({"workflows": (TextFile(path="a.yml", text=text),)}).proofs


def test_permissions_of_jobs():
    """Where the workflow states none, each job that states its own is told apart from those that do not."""
    verdict = Pipeline().check(workflows("permissions: {}", "other: {}"))
    assert [each.text.split()[1] for each in verdict.of(Kind.BROKEN)] == ["check", "shared"]


def test_caches():
    """A cache kept by another action of the job, in a bake's `set`, or on the command line, is kept."""
    kept = "      - uses: actions/cache@" + "e5" * 20 + "\n      - run: docker build ."
    assert Pipeline().check(workflows("      - uses: ./own/action", kept)).state is State.PASS
    line = "      - run: docker buildx build --cache-from type=gha --cache-to type=gha ."
    assert Pipeline().check(workflows("      - uses: ./own/action", line)).state is State.PASS


def test_composite_action():
    """The steps of a composite action are held to the same pins."""
    text = "runs: {using: composite, steps: [{uses: octo/x@v1}]}"
    assert Pipeline().check({"workflows": (TextFile(path="action.yml", text=text),)}).state is State.FAIL
