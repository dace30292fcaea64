"""Probes: what a running service is asked, and what must be so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from dockyard.errors import UnhealthyError
from dockyard.smoke.golden import compare, read_golden
from dockyard.smoke.target import OK, UNAUTHORIZED, UNPROCESSABLE, Answer, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard.smoke.golden import Golden
    from dockyard.smoke.target import Target

LOG_SECONDS = 5
READ_LINES = 500


def probe(
    target: Target, announce: Callable[[Result], None] = lambda _: None, golden: tuple[Golden, ...] | None = None
) -> tuple[Result, ...]:
    """Run every probe that leaves the service as it was; golden predictions are those of the settings, or given."""
    results = []
    for result in _probes(target, read_golden(target.settings) if golden is None else golden):
        announce(result)
        results.append(result)
    return tuple(results)


def _probes(target: Target, golden: tuple[Golden, ...]) -> Iterator[Result]:
    smoke = target.settings.smoke
    before = _volume_lines(target)
    yield _status("health", target.ask("GET", smoke.health), OK)
    yield _status("readiness", target.ask("GET", smoke.ready), OK)
    if smoke.predict:
        yield from _keyed(target, golden)
    else:
        yield _not_run("the keyed route", "`predict` is empty in [tool.dockyard.smoke]")
    yield _log_lines(target)
    yield _log_files(target, before)


def _keyed(target: Target, golden: tuple[Golden, ...]) -> Iterator[Result]:
    """Ask the keyed route without a key, with a wrong one, for nonsense and for the golden predictions."""
    sample = golden[0].request if golden else {}
    yield _status("no key is refused", target.predict(sample, key=None), UNAUTHORIZED)
    yield _status("a wrong key is refused", target.predict(sample, key="x" * len(target.key)), UNAUTHORIZED)
    yield _malformed(target)
    if not golden:
        yield _not_run("golden prediction", "`golden` is not set in [tool.dockyard.smoke]")
    for case in golden:
        yield compare(case, target.predict(case.request, key=target.key), target.settings.smoke.tolerance)


def _status(name: str, answer: Answer, wanted: int) -> Result:
    return Result(probe=name, verdict="pass" if answer.status == wanted else "fail", evidence=str(answer))


def _not_run(name: str, why: str) -> Result:
    return Result(probe=name, verdict="not-run", evidence=why)


def _malformed(target: Target) -> Result:
    """A body that is no JSON, with the right key, is the client's mistake and is said to be."""
    answer = target.ask("POST", target.settings.smoke.predict, key=target.key, body='{"not json')
    return _status("a malformed body is refused", answer, UNPROCESSABLE)


def _log_lines(target: Target) -> Result:
    """Every line that the container wrote has the agreed form, and none holds the key."""
    lines = [line for line in target.engine.daemon.logs(target.facts.id, lines=READ_LINES) if line.strip()]
    return check_lines("logs are JSON lines" if target.settings.smoke.log_fields else "logs", lines, target)


def _log_files(target: Target, before: frozenset[str]) -> Result:
    """The requests above arrive in the mounted folder; the service may write them a moment later."""
    name = "logs land in the volume"
    folder, route = target.settings.run.logs_target, target.settings.smoke.predict
    if not route:
        return _not_run(name, "no request is known that would be logged: `predict` is empty in [tool.dockyard.smoke]")
    if folder not in target.facts.mounts:
        return Result(probe=name, verdict="fail", evidence=f"nothing is mounted at {folder}")
    deadline = time.monotonic() + LOG_SECONDS
    while True:
        fresh = sorted(_volume_lines(target) - before)
        if any(route in line for line in fresh):
            return check_lines(name, fresh, target)
        if time.monotonic() > deadline:
            return Result(probe=name, verdict="fail", evidence=f"no line of these requests in {folder}")
        time.sleep(0.1)


def _volume_lines(target: Target) -> frozenset[str]:
    """Read the log files through the engine: the host's folder may not be ours to read."""
    files = target.engine.daemon.read_folder(target.facts.id, target.settings.run.logs_target)
    lines = (line for content in files.values() for line in content.decode("utf-8", "replace").splitlines())
    return frozenset(line for line in lines if line.strip())


def check_lines(name: str, lines: list[str], target: Target) -> Result:
    """Hold log lines against the agreed form: JSON objects with some fields, or any where no field is agreed on."""
    for line in lines:
        if target.key in line:
            return Result(probe=name, verdict="fail", evidence="a line holds the API key")
        if not target.settings.smoke.log_fields:
            continue
        document = Answer(status=OK, body=line).document
        if not isinstance(document, dict):
            return Result(probe=name, verdict="fail", evidence=f"no JSON object: {line[:120]}")
        missing = [field for field in target.settings.smoke.log_fields if field not in document]
        if missing:
            return Result(probe=name, verdict="fail", evidence=f"lacks {', '.join(missing)}: {line[:120]}")
    verdict: Literal["pass", "fail"] = "pass" if lines else "fail"
    return Result(probe=name, verdict=verdict, evidence=f"{len(lines)} lines")


def stop_gracefully(target: Target) -> Result:
    """Send SIGTERM: the process must end by itself, with code 0, within the grace that `stop` gives it."""
    grace = target.settings.run.stop_timeout
    begun = time.monotonic()
    target.engine.buildx.stop(target.facts.id, seconds=grace)
    seconds = time.monotonic() - begun
    ended = target.engine.daemon.container(target.facts.id)
    code = ended.exit_code if ended else None
    return Result(
        probe="SIGTERM ends it gracefully",
        verdict="pass" if code == 0 and seconds < grace else "fail",
        evidence=f"exit code {code} after {seconds:.1f} s",
    )


def require(
    results: tuple[Result, ...], who: str = "", todo: str = "Look at `invoke logs`; nothing was changed."
) -> None:
    """Raise UnhealthyError if a probe failed.

    Args:
        results: What the probes found.
        who: The container that was asked, if the error is to name it.
        todo: What helps.
    """
    failed = [each for each in results if each.verdict == "fail"]
    if failed:
        told = f"{len(failed)} of {len(results)} probes"
        raise UnhealthyError(
            f"{who} fails {told}." if who else f"{told} failed.",
            "\n".join(f"{each.probe}: {each.evidence}" for each in failed),
            todo,
        )
