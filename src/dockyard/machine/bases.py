"""Base images: local, else pulled, else loaded from a tar, else assembled here; a line of the table for each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard.errors import DockyardError, EngineError
from dockyard.machine.findings import Base, Finding, refused
from dockyard.machine.held import held
from dockyard.machine.search import ASSEMBLED, Search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.machine.debian import Debian
    from dockyard.machine.interpreters import Interpreter


def base_for(search: Search, python: str) -> Base:
    """Return the base that a build uses: one that is here, official before assembled, else one that can be pulled.

    Where bases are pinned an official one counts only if it is the pinned one.

    Args:
        search: Where it may come from.
        python: Its version; empty for an image that is of no Python, which the search is for.

    Raises:
        EngineError: There is none, it is not the pinned one where that is required, or no engine answers.
        SettingsError: The pins cannot be read.
    """
    reasons: list[str] = []
    base = search.local(python, official=True)
    # One that is here and is no base for us is another one than the pinned.
    other = None if base else next((each for each, _ in search.here(python) if each.official), None)
    if other:
        # Where another one came from, the pinned one may come from too.
        base = search.pulled(python, reasons)
    base = base or search.local(python, official=False) or search.pulled(python, reasons)
    if base is None:
        raise _nowhere(search, python, other, reasons)
    return held(search, python, base)


def _nowhere(search: Search, python: str, other: Base | None, reasons: list[str]) -> EngineError:
    """Return why there is no base.

    Args:
        search: Where it was looked for.
        python: Its version; empty for an image that is of no Python.
        other: What is here in its place, and is not as pinned.
        reasons: Why none could be pulled, a sentence each.
    """
    wanted = search.wanted.reference(python)
    pin = search.pin(wanted)
    here = f"{wanted} is here as {other.digest}; {pin.digest} is pinned." if other and pin else ""
    what = f"base image for Python {python}" if python else wanted
    todo = f"Run `invoke setup --python {python}`: it loads or assembles one, or says why not."
    if other or not python:
        todo = "Make the registry or a mirror reachable, or pin what is here: `invoke pin --update`."
    return EngineError(
        f"There is no {what}{' that is as pinned' if other or not python else ''}.",
        " ".join(dict.fromkeys(filter(None, (here, *reasons)))) or f"{wanted} is not here.",
        todo,
    )


def look(search: Search) -> tuple[Finding, ...]:
    """Return which bases are here, and how setup would get the others."""
    return tuple(_seen(search, python) for python in search.wanted.pythons)


def _seen(search: Search, python: str) -> Finding:
    base = search.local(python, official=True) or search.local(python, official=False)
    if base:
        return _found(python, base)
    interpreter = search.interpreter(python)
    ways = "pull it or load it from a tar"
    if interpreter:
        ways += f", or assemble it from CPython {interpreter.version}"
    return Finding(
        subject=subject_of(python),
        state="missing",
        detail=f"{search.wanted.reference(python)} is not here{_as_pinned(search, python)}; setup would {ways}.",
        todo="Run `invoke setup`.",
    )


def _as_pinned(search: Search, python: str) -> str:
    other = any(base.official for base, _ in search.here(python))
    return " as it is pinned" if other else ""


def subject_of(python: str) -> str:
    """Return the subject of a base's line."""
    return f"base {python}"


def _found(python: str, base: Base) -> Finding:
    return Finding(subject=subject_of(python), state="found", detail=f"{base.reference} ({base.how})")


def prepare(search: Search, announce: Callable[[str], None]) -> Iterator[Finding]:
    """Get the bases, and yield a line for each in the order asked for."""
    lines: dict[str, Finding] = {}
    left: dict[str, list[str]] = {}
    for python in search.wanted.pythons:
        reasons: list[str] = []
        if base := search.local(python, official=True):
            lines[python] = _found(python, base)
        elif base := search.pulled(python, reasons) or search.loaded(python, reasons):
            detail = f"{base.reference} ({base.how})"
            lines[python] = Finding(subject=subject_of(python), state="done", detail=detail)
        elif base := search.local(python, official=False):
            lines[python] = _found(python, base)
        else:
            left[python] = reasons
    lines.update(_assembled(search, left, announce))
    yield from (lines[python] for python in search.wanted.pythons)


def _assembled(search: Search, left: dict[str, list[str]], announce: Callable[[str], None]) -> dict[str, Finding]:
    """Assemble what could not be had otherwise; the Debian part is made once."""
    from dockyard.machine import assemble  # noqa: PLC0415 - no build waits for what setup needs

    lines: dict[str, Finding] = {}
    suites: dict[str, list[Interpreter]] = {}
    for python, reasons in left.items():
        try:
            interpreter = _required(search, python)
            suites.setdefault(assemble.suite_of(search.wanted.reference(python)), []).append(interpreter)
        except DockyardError as error:
            lines[python] = _because(refused(subject_of(python), error), reasons)
    for suite, chosen in suites.items():
        try:
            announce(f"Assembling {len(chosen)} base image(s) from Debian {suite} packages; about half a minute.")
            with assemble.workshop(suite, search.root) as (system, work):
                for interpreter in chosen:
                    lines[interpreter.minor] = _one(search, interpreter, system, work, announce)
        except DockyardError as error:
            for interpreter in chosen:
                line = refused(subject_of(interpreter.minor), error)
                lines[interpreter.minor] = _because(line, left[interpreter.minor])
    return lines


def _required(search: Search, python: str) -> Interpreter:
    interpreter = search.interpreter(python)
    if interpreter is None:
        raise EngineError(
            f"{search.wanted.reference(python)} cannot be had.",
            f"This machine has no CPython {python} that could be copied into a base.",
            f"Make the registry or a mirror reachable, or install it: `pyenv install {python}`.",
        )
    return interpreter


def _one(
    search: Search,
    interpreter: Interpreter,
    system: Debian,
    work: Path,
    announce: Callable[[str], None],
) -> Finding:
    from dockyard.machine import assemble  # noqa: PLC0415

    subject, wanted = subject_of(interpreter.minor), search.wanted.reference(interpreter.minor)
    try:
        reference = assemble.assemble(interpreter, wanted, system, work)
    except DockyardError as error:
        return refused(subject, error)
    announce(f"{reference} is assembled.")
    detail = f"{reference} (CPython {interpreter.version} on Debian {system.suite}; {ASSEMBLED})"
    return Finding(subject=subject, state="done", detail=detail)


def _because(line: Finding, reasons: list[str]) -> Finding:
    """Return a refusal that also says why the image did not come from elsewhere."""
    return replace(line, detail=" ".join(dict.fromkeys([line.detail, *reasons])))
