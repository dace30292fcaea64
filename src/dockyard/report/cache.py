"""Caches for people and for programs: what was carried, what is kept, what pays off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.cache.kept import LAYERS, MOUNTS
from dockyard.errors import SettingsError
from dockyard.report.cache_json import carried_document, inventory_document
from dockyard.report.progress_words import counted, short
from dockyard.report.words import harmless
from dockyard.units import amount

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dockyard.cache.archive import Carried
    from dockyard.cache.forecast import Forecast
    from dockyard.cache.inventory import Inventory
    from dockyard.cache.kept import Kept
    from dockyard.report.console import Console

WIDTH = 44
SHARED = "another project with the same ones on the same base shares them."
FORGETS = (
    "When BuildKit lets go of one result it may forget others, of every project on this builder: their next builds run "
    "all steps on such a base again. Its own collection of garbage does the same."
)


def target(path: Path) -> Path:
    """Return a path that an archive can be written to; raise SettingsError before anything is done for nothing."""
    if not path.absolute().parent.is_dir() or path.is_dir():
        why = "It is a folder." if path.is_dir() else f"There is no folder {path.parent}."
        raise SettingsError(f"--export {path} is not possible.", why, "Name a file in a folder that is there.")
    return path


def exported(console: Console, carried: Carried, *, as_json: bool) -> None:
    """Say what an archive got, and what had no room in it."""
    if as_json:
        console.document(carried_document(carried))
        return
    for each in carried.mounts:
        left_out = f"; {amount(each.left_out)} had no room, the oldest" if each.left_out else ""
        console.say(f"{each.id}: {amount(each.size)}{left_out}")
    for one in carried.refused:
        console.note(f"{one.id} is left out: {one.why}. {one.todo}", style="yellow")
    if carried.size:
        console.say(f"{carried.path}: {amount(carried.size)}, written.")
        console.say(f"key: {carried.key}")
    else:
        console.say(f"Nothing is in the cache mounts, so {carried.path} was not written.")


def imported(console: Console, carried: Carried, *, as_json: bool) -> None:
    """Say what the cache mounts got, and what of the archive no step mounts."""
    if as_json:
        console.document(carried_document(carried))
        return
    for each in carried.mounts:
        console.say(f"{each.id}: {amount(each.size)}")
    for name in carried.unknown:
        console.say(f"{name}: left out, no step of the Dockerfile mounts it as it was")
    of = "of these locks" if carried.current else "of other locks: what they have in common is saved"
    console.say(f"{carried.path}: {amount(carried.size)}, {of}.")


def show(console: Console, inventory: Inventory, *, as_json: bool) -> None:
    """Say what is kept, by what, how old it is, and what pays off."""
    if as_json:
        console.document(inventory_document(inventory))
        return
    rows = [
        (
            each.kind,
            short(harmless(each.what), WIDTH),
            amount(each.size),
            str(each.count),
            str(each.uses or ""),
            "" if each.age is None else ago(each.age),
            f"{each.pays:.0f} s/GB" if each.pays >= 1 else "",
        )
        for each in inventory.kept
    ]
    console.table(("kind", "what", "size", "results", "uses", "last used", "saved"), rows)
    whole = f"builder {inventory.builder} keeps {amount(inventory.total)}"
    console.say(f"{amount(inventory.size)} of {inventory.project}; {whole}.")
    if inventory.builds:
        console.say(f"Steps are known by their text, from {counted(inventory.builds, 'build')}: {SHARED}")
    else:
        console.say("No build is recorded, so that no step is known: run `invoke build`.")
    console.say(foretold(inventory.forecast))


def foretold(forecast: Forecast) -> str:
    """Say what the caches would take of GitHub's quota."""
    quota = amount(forecast.quota).replace(".0 ", " ")
    if not forecast.branch:
        return f"Nothing would be exported, so there is no forecast beside GitHub's {quota}."
    about = "as exported" if forecast.measured else "before compression"
    layers = f"layers {amount(forecast.layers)} {about}"
    parts = f"{counted(forecast.pythons, 'Python')}: {layers}, mounts {amount(forecast.mounts)} before compression"
    return f"GitHub's {quota}: a branch takes {amount(forecast.branch)} ({parts}), so {_fit(forecast.branches)}."


def _fit(branches: int) -> str:
    if not branches:
        return "not one fits"
    return "one fits" if branches == 1 else f"{branches} fit"


def going(console: Console, going: Sequence[Kept]) -> None:
    """Say what is to go, in the order in which it goes."""
    console.note("This would go, first what saves least for its size:")
    for each in going:
        age = "" if each.age is None else f", last used {ago(each.age)}"
        console.note(f"  {each.kind}  {short(harmless(each.what), WIDTH)}  {amount(each.size)}{age}")
    if any(each.kind == MOUNTS for each in going):
        console.note("Other projects on this builder that mount a cache of the same id share its contents.")
    if any(each.kind == LAYERS for each in going):
        console.note(FORGETS, style="yellow")


def confirmed(console: Console) -> bool:
    """Ask the person at the terminal; anything but a yes is a no."""
    console.note("Type yes to remove it:")
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False


def ago(seconds: int) -> str:
    """Return how long ago something was, in one unit, as buildx knows it no better."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"
