"""Pins for people: how each base stands, what moved, what is stale or near its end; and how locks changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from dockyard.report.pin_json import bases_document, locks_document
from dockyard.report.sbom_words import MARKS, change, comparing
from dockyard.report.words import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockyard.pin import Compiled, End, Moved, Outcome
    from dockyard.report.console import Console
    from dockyard.sbom import Change

DIGEST = 19
COLUMNS = ("base", "state", "pinned", "digest", "system", "python", "from")
DEBIAN_12 = "debian 12"
# What the last column says where the whole reason is a line of its own.
NO_SOURCE = {"refused": "nowhere", "not checked": "the file alone"}


def show_bases(console: Console, outcomes: Sequence[Outcome], file: str, *, as_json: bool) -> None:
    """Print how each base stands."""
    if as_json:
        console.document(bases_document(outcomes, file))
        return
    console.table(COLUMNS, [_row(each) for each in outcomes])
    for each in outcomes:
        if each.moved:
            _moved(console, each.reference, each.moved)
    if any(each.state in {"pinned", "updated"} for each in outcomes):
        console.note(f"{file} has the pins: review what moved, and commit it.", style="green")
    for note in dict.fromkeys(_notes(outcomes)):
        console.note(note, style="yellow")


def _row(each: Outcome) -> tuple[str, ...]:
    pin = each.pin
    source = NO_SOURCE.get(each.state) or each.detail
    if pin is None:
        return each.reference, each.state, "", "", "", "", source
    age = "today" if each.age == 0 else f"{each.age} {'day' if each.age == 1 else 'days'} ago"
    when = "" if each.state == "not pinned" else f"{pin.pinned}, {age}"
    return each.reference, each.state, when, pin.digest[:DIGEST], harmless(pin.system), harmless(pin.python), source


def _moved(console: Console, reference: str, moved: Moved) -> None:
    """Print what moved, the system and the Python first."""
    console.say("")
    facts = [("~", name, "", f"{_short(old)} → {_short(new)}") for name, old, new in moved.facts]
    rows = [
        (mark, each.kind, name, versions) for each in moved.packages.changes for mark, name, versions in [change(each)]
    ]
    console.table(("", "kind", "package", reference), [*facts, *rows])
    known = moved.packages.changes or moved.packages.same
    console.say(comparing(moved.packages) if known else "It has no package that could be compared.")


def _short(value: str) -> str:
    return value[:DIGEST] if value.startswith("sha256:") else harmless(value)


def _notes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield what a person should know, that of several bases once."""
    for each in outcomes:
        if each.stale and each.pin:
            yield f"The pin of {each.reference} is {each.age} days old; `invoke pin --update` looks for a newer base."
        if each.state in NO_SOURCE:
            yield f"{each.reference}: {harmless(each.detail)}"
        yield from map(harmless, each.problems)
    for end in dict.fromkeys(end for each in outcomes for end in each.ends):
        yield _end(end)


def _end(end: End) -> str:
    lts = f"; LTS until {end.lts}" if end.lts else ""
    when = f"ended on {end.regular}, {-end.days} days ago" if end.over else f"ends on {end.regular}, in {end.days} days"
    other = ' `line = "slim-trixie"` in [tool.dockyard.build] is Debian 13.' if end.what == DEBIAN_12 else ""
    return f"The regular security support of {end.what} {when}{lts}.{other}"


def show_locks(console: Console, compiled: Sequence[Compiled], *, cooldown: int, check: bool, as_json: bool) -> None:
    """Print how each lock changed."""
    if as_json:
        console.document(locks_document(compiled, cooldown=cooldown, written=not check))
        return
    for each in compiled:
        rows = [_version(one) for one in each.changes.changes]
        rows += [("≠", name, f"other files: {came} new, {gone} gone") for name, (came, gone) in each.files.items()]
        console.say(_told(each))
        if rows:
            console.table((), rows)
            console.say("")
    age = f"uploaded at least {cooldown} days ago" if cooldown else "of any age"
    console.note(f"{'Nothing was written. ' if check else ''}Versions are those {age}.", style="green")


def _version(each: Change) -> tuple[str, str, str]:
    """Return one change; that of a version to an older one, which a cooldown may bring, says so."""
    mark, name, versions = change(each)
    try:
        back = bool(each.old and each.new) and max(map(Version, each.new)) < max(map(Version, each.old))
    except InvalidVersion:
        back = False
    return mark, name, f"{versions}, older" if back else versions


def _told(compiled: Compiled) -> str:
    counts = ((len(compiled.changes.of(how)), how) for how in MARKS)
    told = ", ".join(f"{count} {how}" for count, how in counts if count)
    if not told:
        told = "other files" if compiled.files else "other words" if compiled.differs else "nothing changed"
    return f"{compiled.name}: {told}; {compiled.changes.same} as they were"
