"""LOG-01, LOG-02, LOG-03: logs that can be trusted, that never stop the service, and that end."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.appends import unbounded
from dockyard.audit.facts.running import OK, option, request, table
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.observed import LogLines
    from dockyard.audit.read import Sources
    from dockyard.audit.trials import LogFailure
    from dockyard.audit.verdict import Proof
    from dockyard.settings import Settings

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
OUTPUT = Place(subject="docker logs")
SHOWN = 5
SHOWN_LINE = 120
ONCE = 2


class Lines(Rule):
    """Every line of output is a JSON object with the agreed fields, and no request can write one of its own.

    Who can put a line break or a terminal's codes into a log can invent events, hide others, and attack whoever reads
    it; who reads it by machine loses every line that is not JSON.

    Remedy: one JSON encoder for everything that is written, the web server's own lines and uncaught exceptions
    included; values of requests only as JSON strings, control characters replaced.
    """

    id = "LOG-01"
    title = "Every line is JSON and cannot be forged"
    severity = Severity.MEDIUM
    references = ("OWASP Logging", "DORA art. 12")

    @part
    def form(self, log_lines: LogLines, settings: Settings) -> Iterator[Proof]:
        """Each line has the form, and no raw control character."""
        fields = settings.smoke.log_fields
        faults = [(line, fault) for line in log_lines.lines if (fault := _fault(line, fields))]
        for line, fault in faults[:SHOWN]:
            yield broken(f"a line {fault}: {line[:SHOWN_LINE]!r}", OUTPUT)
        if not log_lines.lines:
            yield broken("nothing was logged", OUTPUT)
        elif not faults:
            yield holds(f"{len(log_lines.lines)} lines are JSON objects with {', '.join(fields)}", OUTPUT)

    @part
    def forged(self, log_lines: LogLines) -> Iterator[Proof]:
        """No hostile request wrote a line of its own, and each left one event at most."""
        for line in log_lines.forged[:SHOWN]:
            yield broken(f"a request wrote a line of its own: {line[:SHOWN_LINE]!r}", OUTPUT)
        for name, count in zip(log_lines.sent, log_lines.per_request, strict=True):
            if count > max(log_lines.usual, 1):
                told = f"{name}: {count} lines, where a plain request leaves {log_lines.usual}"
                yield broken(told, Place(subject=f"request: {name}"))
        if log_lines.usual < 1:
            yield broken("a prediction leaves no line", OUTPUT)
        if log_lines.sent and not log_lines.forged:
            yield holds(f"{len(log_lines.sent)} hostile requests forged nothing: {', '.join(log_lines.sent)}", OUTPUT)
        elif not log_lines.sent:
            yield unknown("no hostile request was sent", OUTPUT)


def _fault(line: str, fields: tuple[str, ...]) -> str:
    """Say what is wrong with a line; empty if nothing is."""
    if CONTROL.search(line):
        return "holds a raw control character"
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return "is no JSON"
    if not isinstance(told, dict):
        return "is no JSON object"
    missing = [field for field in fields if field not in told]
    return f"lacks {', '.join(missing)}" if missing else ""


class Failing(Rule):
    """A log volume that cannot be written does not disturb predictions, and is told of on standard output, once.

    Volumes fill up, are mounted read-only after a fault of the disk, or come with another owner. A service that dies
    of it makes a lost log a lost service; one that says nothing loses its audit trail unseen.

    Remedy: treat the log file as a second place beside standard output; on an OSError say so there once, drop the
    file's lines, and try again every minute.
    """

    id = "LOG-02"
    title = "A failing log volume does not stop the service"
    severity = Severity.HIGH
    references = ("ANSSI R14", "ANSSI R16")

    @part
    def serves(self, log_failures: tuple[LogFailure, ...]) -> Iterator[Proof]:
        """Every prediction is answered."""
        for each in log_failures:
            yield (holds if each.answer.status == OK else broken)(f"{each.kind}: {each.answer}", request(each.answer))

    @part
    def says_so(self, log_failures: tuple[LogFailure, ...]) -> Iterator[Proof]:
        """It is said, and not for every request."""
        for each in log_failures:
            if each.answer.status != OK:
                continue
            place = Place(subject=f"docker logs, logs folder {each.kind}")
            if not each.said:
                yield broken(f"{each.kind}: nothing on standard output says that the log is lost", place)
            else:
                told = f"{each.kind}: said {len(each.said)} times for {each.requests} requests: {each.said[0][:200]}"
                yield (holds if len(each.said) <= ONCE else broken)(told, place)


class Rotated(Rule):
    """Neither the engine's log of the container nor the service's own files grow without end.

    Docker's json-file driver rotates nothing unless told to: the log of a year fills the host's disk and stops every
    container on it.

    Remedy: `--log-driver local`, or `--log-opt max-size=10m --log-opt max-file=3` (`log_size` and `log_files` in
    [tool.dockyard.run]); in the service a handler that rotates, with a number of files that it keeps.
    """

    id = "LOG-03"
    title = "Logs are rotated"
    severity = Severity.MEDIUM
    references = ("ANSSI R16",)

    @part
    def driver(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """The engine rotates what it keeps."""
        kind = str(table(inspect, "HostConfig", "LogConfig").get("Type") or "")
        options = table(inspect, "HostConfig", "LogConfig", "Config")
        place = option("LogConfig")
        if kind == "none":
            yield broken("the log driver is none: nothing of the output is kept", place)
        elif kind == "json-file":
            size, files = options.get("max-size", ""), options.get("max-file", "")
            bounded = size not in ("", "-1") and files not in ("", "0")
            told = f"json-file with max-size={size or 'unset'}, max-file={files or 'unset'}"
            yield (holds if bounded else broken)(told, place)
        elif kind:
            yield holds(f"the log driver is {kind}, which keeps no endless file of its own", place)
        else:
            yield unknown("the container's log driver is not known", place)

    @part
    def files(self, sources: Sources) -> Iterator[Proof]:
        """No module of the service appends to a file that nobody ever cuts."""
        endless = list(unbounded(sources))
        for path, line, what in endless:
            yield broken(what, Place(subject=what, file=f"{sources.folder}/{path}", line=line))
        if not endless:
            yield holds(f"{len(sources.files)} modules append to no file without end")
