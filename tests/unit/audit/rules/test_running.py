"""What the tables of cases cannot say: odd inputs, and evidence that shows nothing."""

from __future__ import annotations

from typing import Any

import pytest

from dockyard.audit.facts.appends import unbounded
from dockyard.audit.observed import Limits, LogLines, Routes, Surface, Zombies
from dockyard.audit.rules import ALL
from dockyard.audit.verdict import Kind, State

from . import cases_runtime, cases_service, live

RULES = {rule.id: rule for rule in ALL}
PASSING = {**cases_runtime.PASSING, **cases_service.PASSING}
ODD: list[dict[str, Any]] = [
    {},
    {"HostConfig": None, "Mounts": None},
    {"HostConfig": dict.fromkeys(live.inspect()["HostConfig"]), "Mounts": [None, {}, {"Source": None}]},
    {"HostConfig": {"PortBindings": {"8000/tcp": None}, "LogConfig": {"Config": None}}, "Mounts": {}},
]
# Of RT-03 the kernel's own word decides.
INSPECTED = sorted(name for name in PASSING if "inspect" in RULES[name].needs() and name != "RT-03")


@pytest.mark.parametrize("inspect", ODD)
@pytest.mark.parametrize("rule", INSPECTED)
def test_odd_inspect(rule, inspect):
    """An answer with nothing in it is judged without a crash, and never passes."""
    assert RULES[rule]().check({**PASSING[rule](), "inspect": inspect}).state is not State.PASS


@pytest.mark.parametrize("name", ["CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "Max open files"])
def test_the_kernel_says_nothing(name):
    """What the kernel did not say is not taken for granted."""
    told = {key: value for key, value in live.confinement().items() if key != name}
    rule = {"NoNewPrivs": "RT-03", "Seccomp": "RT-03", "Max open files": "RT-05"}.get(name, "RT-02")
    assert RULES[rule]().check({**PASSING[rule](), "confinement": told}).state is State.NOT_RUN


NOTHING: dict[str, dict[str, object]] = {
    "RT-01": {"writes": ()},
    "RT-02": {"smoke": live.smoke("not-run", "`golden` is not set")},
    "RT-03": {"smoke": ()},
    "RT-04": {"load": live.load_of(requests=0)},
    "RT-05": {"load": live.load_of(pids=0)},
    "RT-07": {"sockets": ()},
    "RT-09": {"zombies": Zombies(checks=20, processes=())},
    "LOG-01": {"log_lines": LogLines(sent=(), lines=(live.LINE,), forged=(), usual=1, per_request=())},
    "LOG-02": {"log_failures": ()},
    "API-01": {"routes": Routes(source="/openapi.json", routes=(), health=())},
    "API-03": {"surface": Surface(docs=(), malformed=(), methods=())},
    "API-04": {"limits": Limits(oversized=(), burst=live.limits().burst, limited=live.limits().limited, slow=())},
}


@pytest.mark.parametrize("rule", NOTHING)
def test_nothing_seen(rule):
    """A probe that saw nothing proves nothing."""
    assert RULES[rule]().check({**PASSING[rule](), **NOTHING[rule]}).state is State.NOT_RUN


def test_no_apparmor():
    """A host without AppArmor is not blamed for it."""
    evidence = {**PASSING["RT-03"](), "confinement": live.confinement(AppArmor="")}
    assert RULES["RT-03"]().check(evidence).state is State.PASS


def test_a_limit_in_production():
    """Where production refuses a burst by itself no variable is needed to show it."""
    burst = live.limits().limited
    evidence = {"limits": live.limits(burst=burst, limited=None)}
    assert RULES["API-04"]().check(evidence).state is State.PASS


def test_no_registry():
    """A service without a registry has nothing to be cut off from."""
    assert RULES["HLT-02"]().check({"readiness": live.readiness(registry=None)}).state is State.PASS


@pytest.mark.parametrize("status", [404, 405, 429, 500, 0])
def test_other_refusals_are_none(status):
    """Only 401 and 403 say that a key is needed."""
    evidence = {**PASSING["API-01"](), "routes": live.routes(live.guarded(no_key=status))}
    assert RULES["API-01"]().check(evidence).state is State.FAIL


@pytest.mark.parametrize(
    "health", ["", "ok", "[]", "[[{}]]", '{"status":"/health"}', '{"model_version":"1.2"}', "[" * 9999]
)
def test_discreet(health):
    """A plain health answer gives nothing away, in whatever form, and may name the model's version."""
    evidence = {**PASSING["API-01"](), "routes": live.routes(health=health)}
    assert RULES["API-01"]().check(evidence).state is State.PASS


@pytest.mark.parametrize(
    "text",
    [
        "key = keys['api_key']\nif api_key == '': pass",
        "if settings.api_key is None: pass",
        "if kind == other: pass",
        "if len(api_key) < 32: pass",
    ],
)
def test_comparisons_that_tell_nothing(text):
    """A comparison with a constant, or of what is no secret, is none that leaks one."""
    evidence = {**PASSING["API-02"](), "sources": live.sources(f"compare_digest(a, b)\n{text}\n")}
    assert RULES["API-02"]().check(evidence).state is State.PASS


def test_no_python():
    """A file that is no Python cannot be examined for comparisons, and hides no other."""
    evidence = {**PASSING["API-02"](), "sources": live.sources("def (")}
    assert RULES["API-02"]().check(evidence).of(Kind.UNKNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "RotatingFileHandler('a', maxBytes=1, backupCount=1)",
        "RotatingFileHandler('a', 'a', 100, 2)",
        "TimedRotatingFileHandler('a', backupCount=1)",
        "open('a')",
        "open('a', 'w')",
        "open('archive.tar', 'rb')",
        "stream = path.open('ab')\npath.replace(older)",
        "def (",
    ],
)
def test_bounded(text):
    """A handler that rotates, a file that is only read or written anew, and a module that cuts its own are bounded."""
    assert list(unbounded(live.sources(text))) == []
