"""Every rule on containers passes on a good one, and fails on one that is bad in the respect it is about."""

from __future__ import annotations

import secrets
import shutil
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dockyard import pipeline
from dockyard.audit.evidence import Missing
from dockyard.audit.probes import GROUPS, PROBES, Session
from dockyard.audit.probes.health import send_to_all
from dockyard.audit.probes.session import varied
from dockyard.audit.read import Sources
from dockyard.audit.rules import ALL
from dockyard.audit.verdict import Kind, State
from dockyard.errors import Interrupted
from dockyard.report.console import Console
from dockyard.run.throwaway import as_in_production
from dockyard.settings import load
from support import remove_labelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.audit.verdict import Verdict
    from dockyard.engines import Engine
    from dockyard.pipeline import Project
    from dockyard.plan import RunPlan

FAULTY = Path(__file__).parents[1] / "data" / "faulty"
PYPROJECT = """
[project]
name = "{name}"
version = "1.0"

[tool.dockyard.run]
name = "{name}"
port = 0
wait = 30
memory = "128m"
stop_timeout = 4
restart = "on-failure:5"

[tool.dockyard.smoke]
golden = "golden.json"

[tool.dockyard.audit]
model_env = "MODEL_PATH"
registry_env = "REGISTRY"
rate_env = "RATE_LIMIT"
"""
RULES = {rule.id: rule for rule in ALL}
LIVE = sorted(name for name in RULES if name.startswith(("API", "LOG", "RT")) or name in ("HLT-01", "HLT-02"))
GROUPED = {name: group for group in GROUPS for name in group.names if name not in PROBES}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Callable[..., Session]]:
    """Return sessions on one image of the faulty service, which is good unless it is told a fault."""
    name = f"dockyard-test-{secrets.token_hex(4)}"
    folder = tmp_path_factory.mktemp("audited") / "faulty"
    shutil.copytree(FAULTY, folder)
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=name), "utf-8")

    def opened(**arguments: Any) -> Project:
        return pipeline.Project(load(arguments, start=folder, environment={}), engine, Console(quiet=True))

    def session(fault: str = "") -> Session:
        settings = opened(**{"run.env": {"FAULT": fault}}).settings
        return Session(settings=settings, engine=engine, image=settings.reference)

    try:
        pipeline.build_image(opened(), progress="quiet")
        yield session
    finally:
        remove_labelled(engine, name)


def left(session: Session) -> tuple[object, ...]:
    """The containers and volumes of a session's project, and its folders of tries."""
    label = f"dev.dockyard.project={session.settings.image}"
    daemon = session.engine.daemon
    return daemon.containers(label=label) + daemon.volumes(label) + tuple((session.settings.state / "tries").glob("*"))


def judged(rule: str, session: Session, change: Callable[[RunPlan], RunPlan] = as_in_production) -> Verdict:
    """Gather what one rule needs, and judge it."""
    needs = RULES[rule].needs()
    evidence: dict[str, object] = {"settings": session.settings, "sources": sources()}
    for group in {id(each): each for name, each in GROUPED.items() if name in needs}.values():
        evidence |= group.take(session)
    if needs & set(PROBES):
        with session.start(change) as target:
            evidence |= {name: probe(session, target) for name, probe in PROBES.items() if name in needs}
    return RULES[rule]().check(evidence)


def sources() -> Sources:
    """The sources of the faulty service."""
    files = {path.name: path.read_text("utf-8") for path in FAULTY.glob("*.py")}
    return Sources(folder="src", files=files)


def broken(verdict: Verdict) -> list[str]:
    """What of a rule does not hold."""
    return [proof.text for proof in verdict.of(Kind.BROKEN)]


def test_a_good_service_passes(audited: Callable[..., Session]) -> None:
    """All live rules pass on a service without a fault, all probes side by side, and nothing of them is left."""
    session = audited()
    evidence: dict[str, object] = {"settings": session.settings, "sources": sources()}
    with ThreadPoolExecutor(3) as pool:
        for group, found in zip(GROUPS, pool.map(lambda group: group.take(session), GROUPS), strict=True):
            assert set(found) == set(group.names)
            evidence |= found
    assert [name for name, found in evidence.items() if isinstance(found, Missing)] == []
    verdicts = {name: RULES[name]().check(evidence) for name in LIVE}
    assert {name: broken(each) for name, each in verdicts.items() if each.state is not State.PASS} == {}
    assert left(session) == ()
    good(evidence)


def good(evidence: dict[str, Any]) -> None:
    """Hold what other families judge: the volume, the health check, the search for the key."""
    assert [(each.kind, each.error) for each in evidence["volumes"]] == [("anonymous", ""), ("named", ""), ("bind", "")]
    check = evidence["health_check"]
    assert (check.up.code, check.hung.code, check.down.code) == (0, 1, 1)
    assert 0 < check.healthy_after < check.start_period == 20
    assert evidence["leak"].found == ()
    assert {"its output", "docker inspect", "its processes", "its environment"} < set(evidence["leak"].searched)
    assert all(evidence["leak"].searched.values())
    assert {each.uid for each in evidence["processes"]} == {1000}


def test_a_service_with_workers_is_hung_whole(audited: Callable[..., Session]) -> None:
    """Where the first process only waits for another one that answers, that one is stopped too."""
    verdict = judged("HLT-01", audited("none, under a master"))
    assert (verdict.state, broken(verdict)) == (State.PASS, [])


def test_a_health_check_at_work_is_not_hung(audited: Callable[..., Session]) -> None:
    """Processes that the engine started beside the service go on, and those of the service do not, until told to."""
    session = audited("none, under a master")
    with session.start() as target, ThreadPoolExecutor(1) as pool:
        beside = "import time; print('begun', flush=True); time.sleep(3); print('ended')"
        begun = pool.submit(session.python, target, beside)
        session.until(lambda: beside in str(PROBES["processes"](session, target)) or None, 10)
        send_to_all(session, target, signal.SIGSTOP)
        assert begun.result(timeout=20).split() == ["begun", "ended"]
        states = [each.state for each in PROBES["processes"](session, target) if "service.py" in each.command]
        assert states == ["T", "T"]
        send_to_all(session, target, signal.SIGCONT)
        assert session.until(lambda: target.ask("GET", "/health").status or None, 10) == 200


LOOSE = [
    ("RT-01", {"read_only": None}, ("ReadonlyRootfs is False", "can write /var/tmp")),
    ("RT-02", {"cap_drop": None}, ("CapDrop is nothing", "CapBnd is ")),
    ("RT-03", {"security_options": ["seccomp=unconfined"]}, ("seccomp=unconfined", "NoNewPrivs is 0", "Seccomp is 0")),
    ("RT-04", {"memory_swap": "1g"}, ("swap is added to the limit",)),
    ("RT-05", {"pids_limit": None, "cpus": None}, ("PidsLimit is 0", "CPU limit is 0")),
    ("RT-06", {"pid": "host"}, ("PidMode is host",)),
    ("LOG-03", {"log_options": None}, ("json-file with max-size=unset",)),
]


@pytest.mark.parametrize(("rule", "options", "says"), LOOSE, ids=[rule for rule, *_ in LOOSE])
def test_a_loose_container_fails(
    audited: Callable[..., Session], rule: str, options: dict[str, Any], says: tuple[str, ...]
) -> None:
    """A container that was started with less confinement fails its rule, for that reason and no other."""
    verdict = judged(rule, audited(), lambda planned: varied(planned, **options))
    assert verdict.state is State.FAIL
    assert [text for text in broken(verdict) if not any(each in text for each in says)] == []
    assert all(any(each in text for text in broken(verdict)) for each in says)


FAULTS = [
    ("RT-01", "wrong", "it does not work so: golden prediction: double"),
    ("RT-04", "memory", " of 128 MiB"),
    ("RT-07", "second port", "0.0.0.0:9999 is listened on"),
    ("RT-08", "deaf", "exit code 137"),
    ("RT-08", "abrupt", "half of it before SIGTERM: no answer"),
    ("RT-09", "zombies", "zombies after 20 health checks"),
    ("HLT-01", "blind", "not unhealthy within 17 s"),
    ("HLT-01", "stuck", "not healthy again"),
    ("HLT-02", "always ready", "GET /ready, no model: 200"),
    ("HLT-02", "liveness", "GET /health, no model: 503"),
    ("LOG-01", "plain lines", "is no JSON"),
    ("LOG-01", "forged", "a"),
    ("LOG-02", "needs its log", ": no answer"),
    ("LOG-02", "silent log", "nothing on standard output"),
    ("API-01", "open route", "GET /model/{name}"),
    ("API-01", "telling", "GET /health tells a stranger `version`"),
    ("API-02", "any key", ": it serves"),
    ("API-02", "query key", "key in the query: 200"),
    ("API-03", "put", " /predict: 200"),
    ("API-03", "traceback", ": 500"),
    ("API-03", "docs", "GET /openapi.json: 200"),
    ("API-03", "server header", "the header server tells faulty/1.2"),
    ("API-04", "any size", "32 MiB with their length: 422"),
    ("API-04", "no limit", "RATE_LIMIT=5: 40 times 200"),
]


@pytest.fixture(scope="module")
def verdicts(
    audited: Callable[..., Session], request: pytest.FixtureRequest
) -> Iterator[dict[tuple[str, str], Future[Verdict]]]:
    """Judge all faults that are to be tested, some side by side: most of their time is waiting."""
    chosen = [getattr(item, "callspec", None) for item in request.session.items]
    faults = [each.params for each in chosen if each and "fault" in each.params]
    with ThreadPoolExecutor(3) as pool:
        yield {
            (each["rule"], each["fault"]): pool.submit(judged, each["rule"], audited(each["fault"])) for each in faults
        }
        pool.shutdown(cancel_futures=True)
    assert left(audited()) == ()


@pytest.mark.parametrize(("rule", "fault", "says"), FAULTS, ids=[f"{rule}: {fault}" for rule, fault, _ in FAULTS])
def test_a_faulty_service_fails(
    verdicts: dict[tuple[str, str], Future[Verdict]], rule: str, fault: str, says: str
) -> None:
    """A service with one fault fails the rule that is about it, for that reason and no other."""
    verdict = verdicts[rule, fault].result()
    assert verdict.state is State.FAIL
    assert broken(verdict)
    assert [text for text in broken(verdict) if says not in text] == []


def test_a_leaked_key_is_found(audited: Callable[..., Session]) -> None:
    """A key in the log is found in each place it went to, and its value is in no evidence."""
    session = audited("leaks")
    with session.start() as target:
        found = PROBES["leak"](session, target)
        assert {"its output", "/app/logs/service.log"} <= set(found.found)
        assert target.key not in repr(found)
        assert target.key not in repr([PROBES[name](session, target) for name in ("log_lines", "surface")])


def test_released(audited: Callable[..., Session]) -> None:
    """Once nobody waits any more every group ends, and removes what it has started."""
    session = audited()
    session.release()
    for group in GROUPS:
        with pytest.raises(Interrupted):
            group.take(session)
    assert left(session) == ()


def test_released_in_the_middle(audited: Callable[..., Session]) -> None:
    """A group that hangs a container ends soon after nobody waits any more, and leaves nothing."""
    session = audited("blind")
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(GROUPED["hang"].take, session)
        label = f"dev.dockyard.project={session.settings.image}"
        while not taken.done() and not session.engine.daemon.containers(label=label):
            pass
        session.release()
        with pytest.raises(Interrupted):
            taken.result(timeout=30)
    assert left(session) == ()
