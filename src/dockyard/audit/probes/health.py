"""Whether health states tell the truth: of a service that hangs, that is down, that has no model."""

from __future__ import annotations

import secrets
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from dockyard.audit.evidence import Missing
from dockyard.audit.probes import web
from dockyard.audit.probes.session import told
from dockyard.audit.probes.within import check, health_command
from dockyard.audit.trials import Hang, HealthCheck, Readiness
from dockyard.errors import EngineError
from dockyard.run.wait import until_healthy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockyard.audit.observed import Exchange, Ran
    from dockyard.audit.probes.session import Session
    from dockyard.smoke import Target

SLACK = 5.0
LONGEST = 240.0
UP_SECONDS = 20.0
WATCHED = 2.0
SECOND = 1e9
# What the engine takes where the image says nothing.
INTERVAL, TIMEOUT, RETRIES = 30.0, 30.0, 3
NOWHERE = "http://127.0.0.1:9"
OK, UNAVAILABLE = 200, 503
# The first process may be a master, whose children answer; the engine's own health check, which may run at this moment,
# is no child of it and must go on. A pass that finds nobody new ends it: who was stopped has no more children.
FAMILY = """
import os, sys
told = {1}
while True:
    parents = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/stat') as stat:
                parents[int(pid)] = int(stat.read().rpartition(')')[2].split()[1])
        except OSError:
            continue
    family = {1}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    if family <= told:
        break
    for pid in family - told:
        try:
            os.kill(pid, int(sys.argv[1]))
        except OSError:
            pass
    told |= family
"""


def timing(health: Mapping[str, object]) -> tuple[float, float, int]:
    """Return interval and timeout in seconds, and retries, of a health check as `docker inspect` has it."""

    def number(name: str) -> float:
        value = health.get(name)
        return float(value) if isinstance(value, int | float) else 0.0

    return (
        number("Interval") / SECOND or INTERVAL,
        number("Timeout") / SECOND or TIMEOUT,
        int(number("Retries")) or RETRIES,
    )


def health(session: Session) -> Mapping[str, object]:
    """Run the health check with the service up, hung and down, and watch the engine's own verdict on the hung one."""
    with session.begin() as target:
        healthy_after = until_healthy(
            target.facts.name, daemon=session.engine.daemon, seconds=session.settings.run.wait, pause=session.pause
        )
        inspected = session.look(target).inspect()
        config = inspected["Config"].get("Healthcheck") or {}
        if not health_command(inspected):
            none = Hang(allowed=0, unhealthy_after=None, healthy_after=None, output="The image has no health check.")
            return {"hang": none, "health_check": Missing(none.output)}
        interval, timeout, retries = timing(config)
        up = check(session, target, seconds=timeout + SLACK)
        hang, hung, down = _hang(session, target, interval, timeout, retries)
    return {
        "hang": hang,
        "health_check": HealthCheck(
            up=up,
            hung=hung,
            down=down,
            healthy_after=healthy_after,
            start_period=(config.get("StartPeriod") or 0) / SECOND,
        ),
    }


def _hang(session: Session, target: Target, interval: float, timeout: float, retries: int) -> tuple[Hang, Ran, Ran]:
    """Stop all processes for a while, as a deadlock would; meanwhile run the health check with the service down."""
    allowed = retries * (interval + timeout) + SLACK
    if allowed > LONGEST:
        raise EngineError(
            "The health check is too slow to be waited for.",
            f"Its own settings let {allowed:g} s pass until a hanging service is noticed.",
            "Shorten `--interval`, `--timeout` or `--retries` of HEALTHCHECK.",
        )

    hangs = _since(session, target, "unhealthy")
    send_to_all(session, target, signal.SIGSTOP)
    hung = check(session, target, seconds=timeout + SLACK)
    with session.idle() as asleep:
        down = check(session, asleep, seconds=timeout + SLACK)
    unhealthy_after = session.until(hangs, allowed)
    facts = session.engine.daemon.container(target.facts.id)
    recovers = _since(session, target, "healthy")
    send_to_all(session, target, signal.SIGCONT)
    healthy_after = session.until(recovers, allowed) if unhealthy_after is not None else None
    hang = Hang(
        allowed=allowed,
        unhealthy_after=unhealthy_after,
        healthy_after=healthy_after,
        output=facts.health_output if facts else "",
    )
    return hang, hung, down


def send_to_all(session: Session, target: Target, sent: signal.Signals) -> None:
    """Send a signal to the first process of a container and, where it has a Python to do so, to all that it started."""
    session.look(target).send(sent.name.removeprefix("SIG"))
    with suppress(EngineError):
        session.python(target, FAMILY, str(int(sent)))


def _since(session: Session, target: Target, state: str) -> Callable[[], float | None]:
    """Return a question: how many seconds from now on did it take until the engine saw a state?"""
    begun = time.monotonic()

    def seconds() -> float | None:
        facts = session.engine.daemon.container(target.facts.id)
        return time.monotonic() - begun if facts and facts.health == state else None

    return seconds


def readiness(session: Session) -> Mapping[str, object]:
    """Ask the health routes of a service that has no model, and of one whose registry is cut off."""
    audit = session.settings.audit
    if not audit.model_env:
        raise EngineError(
            "The model cannot be hidden.", "`model_env` is not set in [tool.dockyard.audit].", "Name the variable."
        )
    hidden = f"/nowhere/{secrets.token_hex(4)}"
    ready, live = _watched(session, {audit.model_env: hidden}, "no model")
    registry = _watched(session, {audit.registry_env: NOWHERE}, "registry cut off")[1] if audit.registry_env else None
    return {"readiness": Readiness(ready=ready, live=live, registry=registry)}


def _watched(session: Session, variables: Mapping[str, str], how: str) -> tuple[Exchange, Exchange]:
    """Ask a container that may never become healthy for a while; return the worst answers of readiness and liveness."""
    smoke = session.settings.smoke
    with session.begin(told(variables)) as target:

        def up() -> bool | None:
            facts = session.engine.daemon.container(target.facts.id)
            ended = facts is None or facts.status in ("exited", "dead")
            return True if ended or target.ask("GET", smoke.health).status else None

        session.until(up, UP_SECONDS)
        ready, live = [], []
        end = time.monotonic() + WATCHED
        while time.monotonic() < end:
            ready.append(web.ask(target, "GET", smoke.ready, name=f"GET {smoke.ready}, {how}"))
            live.append(web.ask(target, "GET", smoke.health, name=f"GET {smoke.health}, {how}"))
            session.pause(0.2)
    return (
        max(ready, key=lambda each: each.status != UNAVAILABLE),
        max(live, key=lambda each: (each.status != OK, each.seconds)),
    )
