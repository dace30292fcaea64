"""Pins: each base resolved, held against the file, written; and the locks, compiled and written all together."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dockyard import image, machine, pin
from dockyard.engines import registry
from dockyard.errors import EngineError, SettingsError
from dockyard.machine import pins
from dockyard.machine.resolve import resolve
from dockyard.pipeline import outside
from dockyard.pipeline.project import wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.engines.facts import ImageFacts
    from dockyard.machine.pins import Pin
    from dockyard.machine.resolve import Resolved
    from dockyard.machine.search import Search
    from dockyard.pipeline.project import Project


@dataclass(frozen=True, kw_only=True)
class PinOptions:
    """How pins are asked for.

    Attributes:
        pythons: Whose bases; none is all of the settings.
        update: Whether what is pinned is pinned anew.
        check: Whether nothing is written.
    """

    pythons: tuple[str, ...] = ()
    update: bool = False
    check: bool = False


def pin_bases(project: Project, options: PinOptions) -> tuple[pin.Outcome, ...]:
    """Hold every image against its pin; pin those that have none, and the others if that was asked for.

    They are the bases of the Pythons, and what the Dockerfile names beside them: in FROM, COPY --from and RUN --mount,
    and as its frontend.

    Raises:
        EngineError: No engine answers.
        SettingsError: The pins cannot be read or written, or nothing is named without a digest.
    """
    settings = project.settings
    # Without an engine every image would be refused, each for the same reason.
    project.engine.daemon.server()
    pythons = options.pythons or (settings.python, *settings.pythons)
    search = machine.searching(wanted(settings, pythons), project.engine)
    bases, others = _asked(project, search, pythons)
    outcomes = []
    for reference in sorted({**others, **bases}):
        project.announce(f"looking for {reference}")
        if reference in bases:
            outcomes.append(_one(project, search, bases[reference], options))
        elif others[reference]:
            outcomes.append(_hidden(reference, others[reference]))
        else:
            outcomes.append(_one(project, search.of(reference), "", options))
    # A base may be named twice: by the settings, which find an assembled one, and by its own name.
    outcomes = list({each.reference: each for each in outcomes}.values())
    now = {each.key: each for each in search.pins}
    new = {each.pin.key: each.pin for each in outcomes if each.pin and each.state != "not pinned"}
    if {**now, **new} != now and not options.check:
        pins.write(settings.root / settings.pin.file, {**now, **new}.values())
    return tuple(_judged(project, each) for each in outcomes)


def _asked(project: Project, search: Search, pythons: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the bases with their Pythons, and the other images of the Dockerfile with the stages that hide them.

    Raises:
        SettingsError: There is none of them, or the Dockerfile cannot be read.
    """
    settings = project.settings
    bases = {} if "@" in settings.build.pattern else {search.wanted.reference(each): each for each in pythons}
    others: dict[str, str] = {}
    if (settings.root / settings.build.dockerfile).is_file():
        for python in pythons:
            others |= outside.named(project, python)
    if not (bases or others):
        raise SettingsError(
            "There is nothing to pin.",
            f"`base` in [tool.dockyard.build] names a digest itself: {settings.build.pattern}.",
            "Write it without the digest; `invoke pin` keeps that.",
        )
    return bases, others


def _hidden(reference: str, stage: str) -> pin.Outcome:
    why = f"A stage of the Dockerfile is called {stage}, as it is, and BuildKit would take the pin for that stage."
    return pin.Outcome(reference=reference, state="refused", detail=why, todo="Give that stage another name.")


def _one(project: Project, search: Search, python: str, options: PinOptions) -> pin.Outcome:
    """Return how one image stands; `pin` is what the file is to have."""
    reference = search.wanted.reference(python)
    official = search.pin(reference)
    try:
        found = resolve(search, python)
    except EngineError as error:
        why = f"{error.what} {error.why}"
        return pin.Outcome(reference=reference, state="refused", detail=why, todo=error.todo, pin=official)
    old = search.pin(found.reference)
    if official and found.assembled and not official.assembled:
        why = f"Only an assembled base is here, which is not the official image. {' '.join(found.reasons)}"
        return _unchecked(official, why)
    same = old is not None and _same(project, old, found)
    heard = found.published or found.assembled or (old is not None and old.unpublished)
    if old and not heard and (same or not options.update):
        here = "This engine's is as pinned" if same else f"This engine has another one, {found.digest}"
        return _unchecked(old, f"{here}; no registry was heard. {' '.join(found.reasons)}")
    if old and same:
        told = old.unpublished and not found.published
        fresh = replace(old, pinned=pins.today(), unpublished=told) if options.update else old
        return pin.Outcome(reference=old.reference, state="as pinned", detail=found.how, pin=fresh)
    return _new(project, found, old, options)


def _same(project: Project, old: Pin, found: Resolved) -> bool:
    """Whether a base is as pinned: a registry's word counts by its digest alone, what is here by its contents too."""
    facts = None if found.published else project.engine.daemon.image(found.image)
    return old.digest == found.digest or bool(facts and old.fits(facts))


def _unchecked(old: Pin, why: str) -> pin.Outcome:
    todo = "Make the registry or a mirror reachable."
    return pin.Outcome(reference=old.reference, state="not checked", detail=why.strip(), todo=todo, pin=old)


def _new(project: Project, found: Resolved, old: Pin | None, options: PinOptions) -> pin.Outcome:
    """Read a base that is not as pinned, or not pinned at all."""
    keep = not options.check and (old is None or options.update)
    try:
        with _here(project, found, keep=keep) as facts:
            contents = _contents(project, found.image)
            new = _pin(project, found, facts, contents)
    except EngineError as error:
        why = f"{error.what} {error.why}"
        return pin.Outcome(reference=found.reference, state="refused", detail=why, todo=error.todo, pin=old)
    change = pin.moved(old, new) if old else None
    states: tuple[pin.State, pin.State] = ("updated", "moved") if old else ("pinned", "not pinned")
    return pin.Outcome(
        reference=found.reference,
        state=states[0] if keep else states[1],
        detail=found.how,
        pin=new if keep or not old else old,
        moved=change,
        ends=pin.ends(new, pins.today()),
        problems=contents.problems,
    )


@contextmanager
def _here(project: Project, found: Resolved, *, keep: bool) -> Iterator[ImageFacts]:
    """Pull an image unless the engine has it; what was only to be looked at goes again."""
    facts = project.engine.daemon.image(found.image)
    fetched = facts is None
    if fetched:
        project.engine.buildx.pull(found.image)
        facts = project.engine.daemon.image(found.image)
    if facts is None:
        raise EngineError(f"{found.image} did not come.", "The engine has it not.", "Run `invoke pin` again.")
    try:
        yield facts
    finally:
        if fetched and not keep:
            project.engine.buildx.remove_image(found.image)


def _contents(project: Project, reference: str) -> pin.Contents:
    from dockyard.report.size import reading  # noqa: PLC0415 - rich is for those who look

    with reading(project.console, reference):
        saved = project.engine.daemon.save(reference)
        return pin.contents(image.read(saved, keep=pin.keeps, reference=reference))


def _pin(project: Project, found: Resolved, facts: ImageFacts, contents: pin.Contents) -> Pin:
    return pins.Pin(
        reference=found.reference,
        platform=f"linux/{facts.architecture}",
        platforms=registry.platforms(project.engine.daemon, found.image) if found.published else (),
        digest=found.digest,
        contents=pins.contents_of(facts),
        pinned=pins.today(),
        assembled=found.assembled,
        unpublished=not (found.published or found.assembled),
        system=contents.system,
        python=contents.python,
        packages=contents.packages,
    )


def _judged(project: Project, outcome: pin.Outcome) -> pin.Outcome:
    """Return an outcome with the age of its pin, and the ends of support that are near."""
    if outcome.pin is None:
        return outcome
    settings, today = project.settings.pin, pins.today()
    age = outcome.pin.age(today)
    known = outcome.ends or pin.ends(outcome.pin, today)
    near = tuple(each for each in known if each.days <= settings.end_notice)
    return replace(outcome, age=age, stale=age > settings.max_age, ends=near)


def pin_dependencies(project: Project, *, cooldown: int, check: bool) -> tuple[pin.Compiled, ...]:
    """Compile the locks of the settings anew, and write all of them or none.

    Args:
        project: Whose.
        cooldown: Days since the upload of what may be taken; 0 takes all.
        check: Whether nothing is written.

    Raises:
        EngineError: A lock cannot be compiled.
        SettingsError: The settings name no lock, or one cannot be written.
    """
    settings = project.settings
    if not settings.pin.locks:
        raise SettingsError(
            "There is no lock to compile.",
            "`locks` in [tool.dockyard.pin] names none.",
            'Name them, for instance: locks = { "requirements/service.txt" = ["service"] }.',
        )
    locks = [pin.LockFile(name=name, groups=groups) for name, groups in settings.pin.locks.items()]
    oldest = min((settings.python, *settings.pythons), key=lambda each: tuple(map(int, each.split("."))))
    now = datetime.now(UTC)
    names = ", ".join(each.name for each in locks)
    project.announce(f"compiling {names}")
    compiled = pin.compile_locks(
        settings.root,
        locks,
        python=oldest,
        before=now - timedelta(days=cooldown) if cooldown else None,
        environment=machine.index_environment(project.wanted),
    )
    if not check:
        pin.write_locks(settings.root, compiled)
    return compiled
