"""What is wrong with a service, from the outside in: the engine, the image, the container, its port, its answers."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import run, smoke
from dockyard.errors import DockyardError, EngineError
from dockyard.observe.usage import memory_of
from dockyard.pipeline.gateway import url_of
from dockyard.plan import PROJECT
from dockyard.run import said
from dockyard.run.diagnose import diagnose, ports
from dockyard.run.evidence import Evidence, bound, gather, keys_of, masked
from dockyard.run.examined import Examined, Line
from dockyard.run.logs_folder import writable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.engines.facts import ContainerFacts
    from dockyard.pipeline.project import Project
    from dockyard.run.examined import State

NEAR = 0.9
LITTLE = 50 * 2**20
OK = 200


def examine(project: Project, *, dev: bool = False) -> Examined:
    """Look at our production container, or the development one; nothing is started, stopped or changed.

    Raises:
        EngineError: No engine answers.
    """
    settings, daemon = project.settings, project.engine.daemon
    name = settings.dev.name if dev else settings.run.name
    server = daemon.server()
    lines = [Line(subject="engine", state="ok", detail=f"Docker {server.version}")]
    facts = daemon.container(name)
    lines.append(_image(project, facts))
    if facts is None or not run.ours(facts, settings.image):
        why = "there is none of that name" if facts is None else f"{facts.image} has the name, and is not ours"
        lines.append(Line(subject="container", state="failed", detail=f"{name}: {why}"))
        return Examined(name=name, lines=tuple(lines), diagnosis=None)
    evidence = gather(facts, daemon)
    lines += _outside(evidence)
    lines.append(_network(evidence.facts))
    if not evidence.ended:
        lines += _answers(project, evidence)
    lines += _health(evidence)
    lines += _logs(project, evidence)
    lines += _memory(project, evidence.facts)
    broken = any(line.state == "failed" for line in lines)
    return Examined(name=name, lines=tuple(lines), diagnosis=diagnose(evidence) if broken else None)


def _image(project: Project, facts: ContainerFacts | None) -> Line:
    reference = project.settings.reference
    image = project.engine.daemon.image(reference)
    if image is None:
        return Line(subject="image", state="failed", detail=f"{reference} is not there; `invoke build` makes it")
    if image.labels.get(PROJECT) != project.settings.image:
        return Line(subject="image", state="found", detail=f"{reference}, not built by this project")
    if facts and facts.image_id != image.id:
        detail = f"{reference} {image.id[:19]} is not what {facts.name} runs: {facts.image_id[:19]}"
        return Line(subject="image", state="found", detail=detail)
    return Line(subject="image", state="ok", detail=f"{reference} {image.id[:19]}")


def _outside(evidence: Evidence) -> Iterator[Line]:
    """Yield how the container is, and its port from within and without."""
    facts = evidence.facts
    up = facts.status == "running"
    how = f": {said.end(facts)}" if facts.status in ("exited", "dead", "restarting") else ""
    detail = f"{facts.name} runs since {facts.started[:19]}" if up else f"{facts.name} is {facts.status}{how}"
    yield Line(subject="container", state="ok" if up else "failed", detail=detail)
    told = f"{facts.restarts} times since it was started" + (", once killed for memory" if facts.oom_killed else "")
    fault: State = "failed" if facts.oom_killed or facts.status == "restarting" else "found"
    yield Line(subject="restarts", state=fault if facts.restarts or facts.oom_killed else "ok", detail=told)
    if not facts.ports:
        yield Line(subject="port", state="failed", detail="nothing is published")
        return
    sockets = evidence.sockets
    state: State = "unknown" if sockets is None else "ok" if bound(facts, sockets) else "failed"
    yield Line(subject="port", state=state, detail=ports(evidence))
    if evidence.refused is not None:
        refused = said.listed(f"{at}: {why}" for at, why in evidence.refused.items())
        yield Line(
            subject="on the host", state="failed" if refused else "ok", detail=refused or "it accepts connections"
        )


def _network(facts: ContainerFacts) -> Line:
    state: State = "ok" if facts.networks else "failed"
    return Line(subject="network", state=state, detail=said.listed(facts.networks) or "it is on none")


def _answers(project: Project, evidence: Evidence) -> Iterator[Line]:
    """Yield what the service answers, as its users would see it."""
    facts, names = evidence.facts, project.settings.smoke
    url = url_of(project, facts)
    if not url:
        return
    keys = keys_of(facts, project.engine.daemon)
    key = keys[0] if keys else ""
    target = smoke.Target(facts=facts, url=url, key=key, settings=project.settings, engine=project.engine)
    for route in dict.fromkeys((names.health, names.ready)):
        answer = target.ask("GET", route)
        state: State = "ok" if answer.status == OK else "failed"
        yield Line(subject=route, state=state, detail=masked(str(answer), keys))
    if names.predict:
        yield _prediction(target, keys)


def _prediction(target: smoke.Target, keys: tuple[str, ...]) -> Line:
    route = target.settings.smoke.predict
    try:
        golden = smoke.read_golden(target.settings)
    except DockyardError as error:
        return Line(subject=route, state="unknown", detail=error.what)
    if not golden or not keys:
        why = "no key can be read from the container" if golden else "`golden` is not set in [tool.dockyard.smoke]"
        return Line(subject=route, state="unknown", detail=why)
    answer = target.predict(golden[0].request, key=target.key)
    found = smoke.compare(golden[0], answer, target.settings.smoke.tolerance)
    return Line(subject=route, state="ok" if found.verdict == "pass" else "failed", detail=masked(found.evidence, keys))


def _health(evidence: Evidence) -> Iterator[Line]:
    facts = evidence.facts
    if not facts.health:
        yield Line(subject="health check", state="found", detail="there is none in the image")
    elif not evidence.ended:
        last = said.check(facts.checks[-1]) if facts.checks else "none has ended yet"
        states: dict[str, State] = {"healthy": "ok", "starting": "found"}
        yield Line(subject="health check", state=states.get(facts.health, "failed"), detail=f"{facts.health}; {last}")


def _logs(project: Project, evidence: Evidence) -> Iterator[Line]:
    """Yield whether the logs folder is there, has room, and lets the container's user write."""
    settings = project.settings.run
    source = evidence.facts.mounts.get(settings.logs_target)
    if source is None:
        detail = f"nothing is mounted at {settings.logs_target}: logs go with the container"
        yield Line(subject="logs folder", state="failed", detail=detail)
        return
    folder = Path(source)
    try:
        free = shutil.disk_usage(folder).free
        uid, gid = (int(part) for part in settings.user.split(":"))
        lets = writable(folder, uid, gid)
    except OSError:
        yield Line(subject="logs folder", state="unknown", detail=f"{source} cannot be seen from here")
        return
    detail = (
        f"{folder}: {free / 2**30:.1f} GiB free" if free > LITTLE else f"{folder} is full: {free / 2**20:.0f} MiB free"
    )
    if not lets:
        detail = f"{folder} cannot be written by {settings.user}"
    yield Line(subject="logs folder", state="ok" if lets and free > LITTLE else "failed", detail=detail)


def _memory(project: Project, facts: ContainerFacts) -> Iterator[Line]:
    if facts.status != "running":
        return
    with suppress(EngineError):
        used = memory_of(project.engine.daemon.stats(facts.id))
        if not facts.memory:
            yield Line(subject="memory", state="ok", detail=f"{used / 2**20:.0f} MiB, without a limit")
            return
        share = used / facts.memory
        detail = f"{used / 2**20:.0f} of {facts.memory / 2**20:.0f} MiB, {share:.0%}"
        yield Line(subject="memory", state="failed" if share > NEAR else "ok", detail=detail)
