"""API-03, API-04: what strangers find, and how much of the service one of them can use up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.running import OK, request
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.observed import Burst, Limits, Surface
    from dockyard.audit.verdict import Proof

HIDDEN = (400, 401, 403, 404, 405, 410)
TOO_LARGE = (411, 413)
TOO_MANY = 429
UNIMPLEMENTED = 501
CLIENT = range(400, 500)
INTERNALS = re.compile(
    r"Traceback \(most recent call last\)|File \"[^\"]+\", line \d+|site-packages|[\w/]+\.py\b"
    r"|(?<![\w.])/(?:app|etc|home|opt|root|usr|var)/[\w.-]+|\b[A-Z]\w+(?:Error|Exception)\b"
)
VERSION = re.compile(r"\d+\.\d+|/\d")
NAMES = ("server", "x-powered-by", "x-aspnet-version")


class Closed(Rule):
    """In production there is no documentation, no stack trace, no odd method and no version number to be had.

    Each of them is a map for an attacker, and a method nobody thought of is a door nobody guards.

    Remedy: switch the documentation off, or guard it, where `API_ENV=production`; one handler that turns every
    exception into a plain answer; only the methods that a route is made for; no `Server` header with a version.
    """

    id = "API-03"
    title = "No documentation, stack trace or extra method in production"
    severity = Severity.MEDIUM
    references = ("OWASP API 8", "OWASP API 9")

    @part
    def closed(self, surface: Surface) -> Iterator[Proof]:
        """Documentation and the like are not there."""
        open_ones = [each for each in surface.docs if each.status not in HIDDEN]
        for each in open_ones:
            yield broken(f"{each}, wanted is 401, 403 or 404", request(each))
        if surface.docs and not open_ones:
            yield holds(f"{len(surface.docs)} routes of documentation and tools are not there")
        elif not surface.docs:
            yield unknown("no route was asked for")

    @part
    def plain(self, surface: Surface) -> Iterator[Proof]:
        """Nonsense is the client's mistake, and is told so without a word of what is inside."""
        for each in surface.malformed:
            inside = INTERNALS.search(each.answer)
            if each.status not in CLIENT:
                yield broken(f"{each}, wanted is 4xx", request(each))
            elif inside:
                yield broken(f"{each.request}: the answer tells {inside[0]!r}", request(each))
            else:
                yield holds(f"{each.request}: {each.status}", request(each))
        if not surface.malformed:
            yield unknown("no malformed request was sent")

    @part
    def methods(self, surface: Surface) -> Iterator[Proof]:
        """Other methods are refused; 501 is the standard's own word for one that nobody knows."""
        for each in surface.methods:
            refused = each.status in CLIENT or each.status in (0, UNIMPLEMENTED)
            yield (holds if refused else broken)(f"{each.request}: {each.status or 'cut off'}", request(each))
        if not surface.methods:
            yield unknown("no other method was tried")

    @part
    def nameless(self, surface: Surface) -> Iterator[Proof]:
        """No header names what serves, and its version."""
        seen = [
            (each, name, each.headers[name])
            for each in (*surface.docs, *surface.malformed)
            for name in NAMES
            if VERSION.search(each.headers.get(name, ""))
        ]
        if seen:
            each, name, value = seen[0]
            yield broken(f"the header {name} tells {value}", request(each))
        else:
            yield holds("no header tells a version")


class Limited(Rule):
    """Requests that are too large, too slow or too many are refused.

    A body without limit fills the memory, a request that never ends holds a connection for ever, and a client without
    limit keeps the others out.

    Remedy: count the body while it is read and answer 413; give the head and the body of a request a time; a limit of
    requests for each key, named by `rate_env` in [tool.dockyard.audit] so that it can be tried.
    """

    id = "API-04"
    title = "Size, time and number of requests are limited"
    severity = Severity.MEDIUM
    references = ("OWASP API 4", "OWASP REST")

    @part
    def size(self, limits: Limits) -> Iterator[Proof]:
        """A body that is too large is refused, whether its length is announced or not."""
        for each in limits.oversized:
            yield (holds if each.status in TOO_LARGE else broken)(f"{each}, wanted is 413", request(each))
        if not limits.oversized:
            yield unknown("no large request was sent")

    @part
    def time(self, limits: Limits) -> Iterator[Proof]:
        """A request that does not go on is cut off."""
        for each in limits.slow:
            place = Place(subject=each.request)
            if each.closed_after is None:
                yield broken(f"{each.request}, then silence: not cut off within {each.allowed:g} s", place)
            else:
                yield holds(f"{each.request}, then silence: ended after {each.closed_after:.1f} s", place)
        if not limits.slow:
            yield unknown("no slow request was sent")

    @part
    def number(self, limits: Limits) -> Iterator[Proof]:
        """A burst is refused, in production or, where that sets no limit, with the service's own limit switched on."""
        place = Place(subject=f"burst, {limits.burst.profile}")
        if limits.burst.statuses.get(TOO_MANY):
            yield holds(f"{limits.burst.profile}: {_statuses(limits.burst)}", place)
        elif limits.limited is None:
            yield broken(f"{_statuses(limits.burst)}: nobody is refused, and `rate_env` names no limit", place)
        else:
            place = Place(subject=f"burst, {limits.limited.profile}")
            refuses = limits.limited.statuses.get(TOO_MANY) and limits.limited.statuses.get(OK)
            told = f"{limits.limited.profile}: {_statuses(limits.limited)}; production sets no limit"
            yield (holds if refuses else broken)(told, place)


def _statuses(burst: Burst) -> str:
    """Say how a burst was answered."""
    return ", ".join(f"{count} times {status or 'no answer'}" for status, count in sorted(burst.statuses.items()))
