"""Why a container does not serve: an ordered table of recognisers; the first that knows is believed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dockyard.run import said
from dockyard.run.evidence import bound
from dockyard.run.phrases import MODEL, REBUILD, Cause, heard, last_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines.facts import HealthCheck
    from dockyard.run.evidence import Evidence

NOT_RUN, DENIED, MISSING, KILLED, SEGFAULT, TERMINATED = -1, 126, 127, 137, 139, 143
PROGRAM = re.compile(r'exec: "(?P<exec>[^"]+)"|(?:\d+: )?(?P<shell>[\w./-]+): (?:command )?not found')
TIMED_OUT = "exceeded timeout"
NO_MODEL = re.compile(r"No model: (?P<why>.+?)(?:\. The log|\.?$)")


def cause_of(evidence: Evidence) -> Cause | None:
    """Return the likely cause; None if nothing that was seen names one."""
    return next((cause for recognise in RECOGNISERS if (cause := recognise(evidence))), None)


def broken_check(check: HealthCheck) -> Cause | None:
    """Return what is wrong with a health check that can never pass: its program is not there, or may not run."""
    unable = check.code in (DENIED, MISSING) or "executable file not found" in check.output
    if not unable and not (check.code == NOT_RUN and "exec failed" in check.output):
        return None
    found = PROGRAM.search(check.output)
    program = (found["exec"] or found["shell"]) if found else "its program"
    return Cause(
        said=f"the health check itself is broken: {program} cannot be run in the image",
        todo="Write HEALTHCHECK with a program that the image has, for instance its Python, then run `invoke build`.",
    )


def _no_image(evidence: Evidence) -> Cause | None:
    if not evidence.image_gone:
        return None
    return Cause(said=f"its image {evidence.facts.image} was removed from the engine", todo="Run `invoke build`.")


def _memory(evidence: Evidence) -> Cause | None:
    facts = evidence.facts
    if not facts.oom_killed:
        return None
    limit = f"its limit is {facts.memory / 2**20:.0f} MiB" if facts.memory else "the host has no more"
    return Cause(said=f"killed for memory: {limit}", todo="Raise `memory` in [tool.dockyard.run], or load less.")


def _not_startable(evidence: Evidence) -> Cause | None:
    """The engine's own words, where the process could not even begin."""
    facts = evidence.facts
    if not facts.error:
        return None
    program = facts.command[0] if facts.command else "its command"
    if facts.exit_code == MISSING or "executable file not found" in facts.error:
        return Cause(said=f"its command was not found: {program} is not in the image", todo=REBUILD)
    if facts.exit_code == DENIED and "permission denied" in facts.error:
        said_so = f"its command may not be executed: permission denied for {program}"
        return Cause(said=said_so, todo="Make it executable in the Dockerfile: `COPY --chmod=755`.")
    if "port is already allocated" in facts.error or "address already in use" in facts.error:
        todo = "Take another port: `--port 0` takes a free one."
        return Cause(said="its port on the host was taken by something else", todo=todo)
    return heard(facts.error, alive=False)


def _log(evidence: Evidence) -> Cause | None:
    """The last words of a process that ended; where the engine's user wrote on a mount, the mount is named."""
    if not evidence.ended and not evidence.restarted:
        return None
    cause = last_words(evidence.lines)
    if cause is None or "denied" not in cause.said:
        return cause
    on = [target for target in evidence.facts.mounts if f": {target}" in cause.said]
    return Cause(said=f"{cause.said}, on the volume mounted at {on[0]}", todo=cause.todo) if on else cause


def _exit(evidence: Evidence) -> Cause | None:
    """What the exit code alone names."""
    code = evidence.facts.exit_code if evidence.ended else evidence.code
    if code is None or evidence.facts.status == "created":
        return None
    known = {
        0: (
            "it ended without an error: its command had nothing more to do, or somebody stopped it",
            "Start it with `invoke run --prod`; should it end again, its command does not serve for ever.",
        ),
        DENIED: ("its command may not be executed", "Make it executable in the Dockerfile: `COPY --chmod=755`."),
        MISSING: ("its command was not found", REBUILD),
        KILLED: (
            "it was killed (SIGKILL), though not for its memory limit: for the host's memory, or by somebody",
            "Look at the host's `dmesg` and `docker events`, then run it again.",
        ),
        SEGFAULT: (
            "native code in it crashed (SIGSEGV)",
            "A compiled package may be for another processor or Python: compare the lock, then run `invoke build`.",
        ),
        TERMINATED: ("somebody stopped it (SIGTERM)", "Look at `docker events`, then run it again."),
    }.get(code)
    return Cause(said=known[0], todo=known[1]) if known else None


def _paused(evidence: Evidence) -> Cause | None:
    if evidence.facts.status != "paused":
        return None
    return Cause(said="it is paused", todo=f"Let it go on: `docker unpause {evidence.facts.name}`.")


def _check(evidence: Evidence) -> Cause | None:
    """A health check that cannot run, that never ends, or that names the cause itself."""
    checks = evidence.facts.checks
    if evidence.ended or not checks:
        return None
    broken = broken_check(checks[-1])
    if broken:
        return broken
    if all(each.code == NOT_RUN and TIMED_OUT in each.output for each in checks):
        return Cause(
            said=f"the health check never ends within its timeout ({checks[-1].seconds:.0f} s)",
            todo="Run it by hand in `invoke shell`: it hangs, or the service does not answer it.",
        )
    return heard(checks[-1].output, alive=True) if checks[-1].code else None


def _model(evidence: Evidence) -> Cause | None:
    """A service that runs without its model, by its health check's words; the log may say where it looked."""
    facts = evidence.facts
    if evidence.ended or not facts.checks or facts.checks[-1].code == 0:
        return None
    found = NO_MODEL.search(facts.checks[-1].output)
    if not found:
        return None
    told = next((text for line in reversed(evidence.lines) if (text := _model_failed(line))), found["why"])
    return Cause(said=f"the model is missing or cannot be used: {told}", todo=MODEL)


def _model_failed(line: str) -> str:
    if '"model_failed"' not in line:
        return ""
    try:
        return str(json.loads(line).get("message", ""))
    except ValueError:
        return ""


def _port(evidence: Evidence) -> Cause | None:
    """Where it listens, beside where it should."""
    sockets, wanted = evidence.sockets, evidence.published
    if evidence.ended or evidence.restarted or sockets is None or bound(evidence.facts, sockets):
        return None
    port = " or ".join(map(str, wanted))
    within = [each.address for each in evidence.listens if each.port in wanted]
    if within:
        todo = "Let the service listen on 0.0.0.0 (`HOST`, or its `--host`): loopback ends at the container."
        return Cause(
            said=f"port {port} is bound to {within[0]} inside the container, where no host reaches it", todo=todo
        )
    others = sorted({each.port for each in evidence.listens})
    if others:
        todo = f"Set `container_port = {others[0]}` in [tool.dockyard.run], or let the service obey PORT."
        return Cause(said=f"it listens on another port, {said.listed(others)}; {port} is published", todo=todo)
    todo = "See in `invoke logs` what it waits for before it serves."
    return Cause(said=f"port {port} is not bound: its process runs, but listens nowhere", todo=todo)


def _check_alone(evidence: Evidence) -> Cause | None:
    """A health check that fails of a service that serves."""
    facts = evidence.facts
    if evidence.ended or not evidence.ready or facts.health != "unhealthy":
        return None
    return Cause(
        said="its ready route has answered 200, and only its health check fails: that is broken, or asks for more",
        todo="Run the command of HEALTHCHECK by hand, mend what it asks for, then run `invoke build`.",
    )


def _slow(evidence: Evidence) -> Cause | None:
    """All is well but the time."""
    facts = evidence.facts
    if not evidence.slow or facts.health != "starting" or facts.checks or evidence.refused:
        return None
    return Cause(
        said="no health check has ended yet: it starts too slowly for the deadline",
        todo="Give it longer (`wait` in [tool.dockyard.run]), or shorten `--start-interval` of HEALTHCHECK.",
    )


RECOGNISERS: tuple[Callable[[Evidence], Cause | None], ...] = (
    _no_image,
    _memory,
    _not_startable,
    _log,
    _exit,
    _paused,
    _model,
    _check,
    _port,
    _check_alone,
    _slow,
)
