"""SEED-04 and SEED-12: the health check itself, and its timing."""

from __future__ import annotations

import ast
import posixpath
from typing import TYPE_CHECKING, Any

from dockyard.audit.facts import probing
from dockyard.audit.facts.accounts import runtime
from dockyard.audit.facts.configured import environment, key, program, rights, table
from dockyard.audit.facts.instructions import SHELLS
from dockyard.audit.rule import Rule, part
from dockyard.audit.rules.seed_tools import FETCHERS
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.trials import HealthCheck
    from dockyard.audit.verdict import Proof
    from dockyard.image import Entry, Image
    from dockyard.settings import Settings

SECOND = 1_000_000_000
# What Docker does where an image says nothing.
DEFAULTS = {"Interval": 30.0, "Timeout": 30.0}
DEFAULT_RETRIES, LEAST_RETRIES = 3, 2
TEST = key("Healthcheck.Test")


def argv(image: Image) -> tuple[str, ...]:
    """Return the words of the health check, `CMD` or `CMD-SHELL` first; none if the image has none."""
    test = table(image, "Healthcheck").get("Test")
    words = tuple(str(each) for each in test) if isinstance(test, list) else ()
    return () if words[:1] == ("NONE",) else words


def seconds(image: Image, name: str) -> float:
    """Return a time of the health check in seconds, Docker's own where the image has none."""
    value: Any = table(image, "Healthcheck").get(name)
    return value / SECOND if isinstance(value, int) and value > 0 else DEFAULTS.get(name, 0.0)


class NativeHealthCheck(Rule):
    """The health check is Python in exec form, gives up before Docker does, and looks at the answer's status.

    A check with curl brings a fetcher into the image; one in shell form needs a shell for every probe. Docker kills a
    check at its timeout without a word, so it needs an own, shorter one to say what happened. A check that does not
    look at the status calls an answer of 503 healthy. Exit code 2 is reserved: 1 means unhealthy.

    Remedy: `HEALTHCHECK --timeout=5s CMD ["python", "-m", "service.healthcheck"]`, a module that asks with
    `http.client.HTTPConnection(host, port, timeout=3)` and exits with 0 if the status is 200, else with 1.
    """

    id = "SEED-04"
    title = "Health check in Python, with a timeout of its own"
    severity = Severity.HIGH
    references = ("CIS 4.6", "OWASP Docker 9")

    @part
    def form(self, image: Image) -> Iterator[Proof]:
        """Exec form, with a program that is there and that the user may run."""
        words = argv(image)
        if words[:1] != ("CMD",) or not words[1:]:
            found = f"is {words[0]}, run by a shell" if words else "is not set"
            yield broken(f"Healthcheck.Test {found}; exec form is wanted", TEST)
            return
        entry, user = program(image, words[1]), runtime(image)
        if posixpath.basename(words[1]) in SHELLS:
            yield broken(f"The health check starts the shell {words[1]}", TEST)
        elif entry is None:
            yield broken(f"The health check's program {words[1]} is not in the image's PATH", TEST)
        elif not _may_run(entry, user.uid, user.gid):
            yield broken(f"{entry.path} is {rights(entry)}: uid {user.uid} may not run it", TEST)
        else:
            yield holds(f"The health check is `{' '.join(words[1:])[:120]}`; {entry.path} is {rights(entry)}", TEST)
        for word in words[1:]:
            if FETCHERS.fullmatch(posixpath.basename(word)):
                yield broken(f"The health check uses {word}", TEST)

    @part
    def code(self, image: Image) -> Iterator[Proof]:
        """Read the code that the check runs."""
        words = argv(image)
        if words[:1] != ("CMD",) or not words[1:]:
            yield unknown("There is no health check in exec form whose code could be read", TEST)
            return
        found = probing.source(image, words[1:])
        place = TEST if found.path in ("", "-c") else Place(subject=found.path)
        try:
            tree = ast.parse(found.code)
        except (SyntaxError, ValueError, RecursionError) as error:
            found = probing.Source(path=found.path, reason=f"{found.path} cannot be parsed: {type(error).__name__}")
        if found.reason:
            yield unknown(f"The health check's code is not known: {found.reason}", place)
            return
        yield from _judged(tree, place)
        yield from _timed(tree, seconds(image, "Timeout"), environment(image), place)

    @part
    def tried(self, health_check: HealthCheck, image: Image) -> Iterator[Proof]:
        """Run with the service up, hung and down, it tells them apart."""
        limit = seconds(image, "Timeout")
        for state, ran, wanted in (
            ("up", health_check.up, 0),
            ("hung", health_check.hung, 1),
            ("down", health_check.down, 1),
        ):
            told = f"With the service {state} it exits {ran.code} after {ran.seconds:.1f} s"
            place = Place(subject=f"health check, service {state}")
            if ran.code != wanted:
                yield broken(f"{told}; {wanted} is wanted: {ran.output[:120].strip()}", place)
            elif ran.seconds >= limit:
                yield broken(f"{told}; Docker kills it after {limit:g} s", place)
            else:
                yield holds(told, place)


def _may_run(entry: Entry, uid: int | None, gid: int | None) -> bool:
    """Whether a user may execute a file; only one class of rights counts."""
    if uid == 0:
        return bool(entry.mode & 0o111)
    shift = 6 if entry.uid == uid else 3 if entry.gid == gid else 0
    return bool(entry.mode >> shift & 1)


def _judged(tree: ast.AST, place: Place) -> Iterator[Proof]:
    """Judge the client and the status."""
    used = probing.clients(tree)
    if used:
        yield holds(f"It asks with {', '.join(used)}", place)
    else:
        yield broken("It imports none of http.client, urllib.request and socket", place)
    if probing.starts_programs(tree):
        yield broken("It starts other programs", place)
    if probing.tests_status(tree):
        yield holds("It looks at the answer's status", place)
    else:
        yield broken("It does not look at the answer's status", place)
    for code in probing.odd_exits(tree):
        yield broken(f"It exits with {code}; 0 and 1 are for health checks", place)


def _timed(tree: ast.AST, limit: float, variables: dict[str, str], place: Place) -> Iterator[Proof]:
    """Judge its own timeout."""
    found = probing.timeouts(tree, variables)
    if not found:
        yield broken("It passes no timeout of its own", place)
    for each in found:
        if each.seconds is None:
            yield holds(f"Its timeout is `{each.written}`, of which the source does not tell the seconds", place)
        elif each.seconds < limit:
            yield holds(f"Its timeout is `{each.written}`: {each.seconds:g} s, Docker's {limit:g} s", place)
        else:
            yield broken(f"Its timeout is `{each.written}`: {each.seconds:g} s, not below Docker's {limit:g} s", place)


class HealthTiming(Rule):
    """The image has a health check whose times fit each other, and the service is healthy within them.

    With Docker's defaults a hung service goes unnoticed for a minute and a half, and one that starts slowly is counted
    as failing from its first second. A timeout longer than the interval lets checks pile up; with one retry a single
    slow answer takes a good container out of service. Plain Docker only shows the state; Swarm and Kubernetes act.

    Remedy: `HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD [...]`, with a start period
    longer than the slowest start that was measured.
    """

    id = "SEED-12"
    title = "Health check with sane timing"
    severity = Severity.MEDIUM
    references = ("CIS 4.6", "CIS 5.27", "dockle CIS-DI-0006", "hadolint DL3057", "Trivy DS-0026")

    @part
    def times(self, image: Image) -> Iterator[Proof]:
        """Read the times from the configuration."""
        if not argv(image):
            yield broken("The image has no health check", key("Healthcheck"))
            return
        interval, timeout = seconds(image, "Interval"), seconds(image, "Timeout")
        told, place = f"Timeout is {timeout:g} s, interval {interval:g} s", key("Healthcheck.Timeout")
        yield holds(told, place) if timeout <= interval else broken(f"{told}: longer than the interval", place)
        retries = table(image, "Healthcheck").get("Retries") or DEFAULT_RETRIES
        told, place = f"Retries is {retries}", key("Healthcheck.Retries")
        enough = isinstance(retries, int) and retries >= LEAST_RETRIES
        yield holds(told, place) if enough else broken(f"{told}; {LEAST_RETRIES} or more are wanted", place)
        start = seconds(image, "StartPeriod")
        place = key("Healthcheck.StartPeriod")
        yield holds(f"Start period is {start:g} s", place) if start else broken("No start period is set", place)

    @part
    def measured(self, health_check: HealthCheck, settings: Settings) -> Iterator[Proof]:
        """A start that was measured fits in."""
        took, place = health_check.healthy_after, Place(subject="start of the container")
        for limit, name in ((health_check.start_period, "start period"), (settings.run.wait, "`wait` of the settings")):
            told = f"Healthy after {took:.1f} s; the {name} is {limit:g} s"
            yield holds(told, place) if took < limit else broken(told, place)
