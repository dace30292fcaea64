"""What the tables of cases cannot say of the SEED, IMG and SEC rules: odd images, and where the line is."""

from __future__ import annotations

import pytest

from dockyard.audit.observed import Leak, Write
from dockyard.audit.rules.image_labels import Labels, Supported
from dockyard.audit.rules.image_rights import CodeReadOnly
from dockyard.audit.rules.image_start import ExecForm
from dockyard.audit.rules.seed_contract import Contract
from dockyard.audit.rules.seed_health import NativeHealthCheck
from dockyard.audit.rules.seed_run import LogsVolume, RunContract
from dockyard.audit.rules.seed_stages import SplitStages
from dockyard.audit.rules.seed_tools import NoBuildTools, NoFetchers
from dockyard.audit.trials import SecretTrial
from dockyard.audit.verdict import Kind, State
from dockyard.dockerfile import parse
from dockyard.image import HistoryStep, Image

from . import cases_image, cases_secrets, cases_seed
from .samples import CONFIG, DOCKERFILE, SETTINGS, File, dockerfile, evidence, image, program

RULES = {**cases_seed.PASSING, **cases_image.PASSING, **cases_secrets.PASSING}
EMPTY = Image(reference="x", id="", digest="", config={}, history=(), layers=(), files={}, contents={}, kept={})
NULLS = dict.fromkeys((*CONFIG, "Shell", "OnBuild"))
ODD = {
    "nothing": EMPTY,
    "nulls": image(None, NULLS),
    "scratch": Image(**{**vars(EMPTY), "config": {"config": NULLS, "rootfs": None}}),
    "texts for lists": image(None, dict.fromkeys(CONFIG, "odd")),
    "lists for texts": image(None, {key: ["odd"] for key in CONFIG}),
    "broken accounts": image(
        {"/etc/passwd": File("x\n::::\na:b:c:d:e:f:g\n"), "/etc/group": File(":\n"), "/etc/shadow": File("a\n")}
    ),
    "Windows": image(None, {"WorkingDir": "C:\\app", "Cmd": ["cmd", "/S", "/C", "app.exe"], "User": "ContainerUser"}),
    "bad UTF-8": image({"/app/\udcff\udcfe": File(), "/app/x\ny": File()}),
}  # fmt: skip


def rule(name: str):
    """A rule by its id."""
    from dockyard.audit.rules import ALL  # noqa: PLC0415 - other rules may be broken while theirs are written

    return next(each for each in ALL if each.id == name)


@pytest.mark.parametrize("name", sorted(RULES))
@pytest.mark.parametrize("kind", ODD)
def test_odd_images(name, kind):
    """An odd image crashes no rule, and each of its parts says something."""
    found = rule(name)
    gathered = {**evidence(), "image": ODD[kind]}

    found().check(gathered)

    for method, names in found.parts():
        assert list(getattr(found(), method)(*(gathered[each] for each in names))), method


@pytest.mark.parametrize("name", ["SEED-04", "SEED-11", "SEED-12", "SEED-13", "IMG-04", "IMG-08", "IMG-12"])
def test_nothing_passes_on_nothing(name):
    """An image without anything in it passes no rule that asks for something."""
    assert rule(name)().check({**evidence(), "image": EMPTY}).state is not State.PASS


def test_foreign_images():
    """Any uid but root's will do for an image of somebody else, whose run contract is not known."""
    other = {**evidence(), "image": image(None, {"User": "101:101"}, reference="nginx:1.27")}

    assert [proof.text for proof in rule("SEED-01")().check(other).of(Kind.BROKEN)] == [
        "/etc/passwd has no row for uid 101"
    ]
    for each in (LogsVolume, RunContract, Contract):
        assert each().check(other).state is State.NOT_RUN
    theirs = parse("FROM x\n", args={}, name="/other/Dockerfile")
    assert LogsVolume().check({**evidence(), "dockerfile": theirs}).state is State.NOT_RUN


def test_base_names_are_no_build_tools():
    """gcc-12-base is a changelog, and a package that was removed is not installed."""
    removed = "Package: gcc\nStatus: deinstall ok config-files\n\nPackage: curl\nStatus: deinstall ok config-files\n"
    found = {**evidence(), "image": image({"/var/lib/dpkg/status": File(removed)})}

    assert NoBuildTools().check(found).state is State.PASS
    assert NoFetchers().check(found).state is State.PASS


def test_unreadable_databases_are_unknown():
    """A database of packages that cannot be read makes no rule pass."""
    found = {**evidence(), "image": image({"/var/lib/rpm/rpmdb.sqlite": File()})}

    assert NoFetchers().check(found).state is State.NOT_RUN


def test_history_of_the_older_builder():
    """The older builder's history is understood too."""
    steps = [
        "/bin/sh -c install",
        *(f"/bin/sh -c #(nop)  {each.keyword} x" for each in dockerfile().final.instructions[2:]),
    ]
    history = tuple(HistoryStep(created_by=step, created="", comment="", empty=False, layer=None) for step in steps)

    assert SplitStages().check({**evidence(), "image": image(history=history)}).state is State.PASS


def test_target_is_the_shipped_stage():
    """The stage that the settings name is judged, not the last of the file."""
    text = f"{DOCKERFILE}FROM runner AS debug\nUSER 0\nRUN pip install debugger\n"
    target = SETTINGS.model_copy(update={"build": SETTINGS.build.model_copy(update={"target": "runner"})})
    found = {**evidence(), "dockerfile": parse(text, args={}, name="Dockerfile"), "settings": target}

    assert SplitStages().check(found).state is State.PASS
    assert SplitStages().check({**found, "settings": SETTINGS}).state is State.FAIL


def test_refused_entries_are_unknown():
    """What the reader of the image refused was not searched for secrets."""
    refused = image(problems=("/../x leads out of the image; it was refused.",))

    assert rule("SEC-01")().check({**evidence(), "image": refused}).state is State.NOT_RUN


def test_a_search_of_nothing_is_unknown():
    """A search for a secret that read nothing, or had nothing to look for, shows nothing."""
    for secret_trial in (
        SecretTrial(secrets=(), searched=("layers",), found=()),
        SecretTrial(secrets=("a",), searched=(), found=()),
    ):
        assert rule("SEC-03")().check({**evidence(), "secret_trial": secret_trial}).state is State.NOT_RUN
    for leak in (
        Leak(sent=("GET /",), searched={"stdout": 0}, found=()),
        Leak(sent=(), searched={"stdout": 9}, found=()),
    ):
        assert rule("SEC-05")().check({**evidence(), "leak": leak}).state is State.NOT_RUN


def test_what_cannot_be_started_is_no_program():
    """A completion file that is called like a program is none."""
    assert NoFetchers().check({**evidence(), "image": image({"/usr/bin/curl": File()})}).state is State.PASS


def test_random_values_are_hints():
    """A value that looks random is told, without it, and fails nothing."""
    random = image({"/app/service/conf.py": File('api_token = "q8Zr2LxW9vTn4KbY7mHc"\n')})
    verdict = rule("SEC-01")().check({**evidence(), "image": random})

    assert verdict.state is State.PASS
    assert [proof.text for proof in verdict.proofs if "Low confidence" in proof.text]
    assert "q8Zr2LxW9vTn4KbY7mHc" not in str(verdict)


@pytest.mark.parametrize("argv", [["/usr/bin/tini", "-p", "SIGTERM", "--", "python"], ["tini", "python"]])
def test_an_init_is_passed_over(argv):
    """Behind an init that passes signals on, the program counts."""
    behind = image({"/usr/bin/tini": program()}, {"Entrypoint": argv, "Cmd": None})

    assert ExecForm().check({**evidence(), "image": behind}).state is State.PASS


def test_wrapper_with_exec():
    """A wrapper script that ends with exec gives its place to the program."""
    wrapped = image({"/app/run": program('#!/bin/sh\nset -e\nexec "$@"\n')}, {"Entrypoint": ["/app/run"]})

    assert ExecForm().check({**evidence(), "image": wrapped}).state is State.PASS


def test_unknown_systems():
    """A system that the table does not know is unknown, and does not pass."""
    other = image({"/etc/os-release": File("ID=wolfi\nVERSION_ID=20230201\n")})

    assert Supported().check({**evidence(), "image": other}).state is State.NOT_RUN


def test_dirty_revision_is_not_true():
    """A revision that is dirty names no commit, even if git says the same."""
    dirty = cases_image.with_label("revision", f"{'a' * 40}-dirty")()

    assert Labels().check(dirty).state is State.FAIL


def test_allowed_writes_show_that_the_trial_works():
    """A folder that may be written is the trial's control: if it cannot be written, nothing was shown."""
    refused = Write(path="/app/x", error="Permission denied")
    for error, state in (("", State.PASS), ("No such file", State.NOT_RUN)):
        writes = (refused, Write(path="/app/logs", error=error, allowed=True))
        assert CodeReadOnly().check({**evidence(), "writes": writes}).state is state


def test_health_check_without_a_timeout_has_dockers_own():
    """Docker's own timeout is 30 seconds where the image names none."""
    found = cases_seed.with_health(Timeout=None)()

    assert "Docker's 30 s" in " ".join(proof.text for proof in NativeHealthCheck().check(found).proofs)
