"""What a container uses: a table that is drawn anew on a terminal, once for a pipe, and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from dockyard.report.status import cpu, memory
from dockyard.units import amount

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard.engines.facts import ContainerFacts
    from dockyard.observe.usage import Usage
    from dockyard.report.console import Console

VERSION = 1
COLUMNS = ("container", "state", "cpu", "memory", "network in / out", "disk read / written", "pids")
FULL, MUCH = 0.9, 0.75
UNCOUNTED = "not known"


def document(facts: ContainerFacts, usage: Usage | None) -> dict[str, Any]:
    """Return one sample, ready for `json.dumps`; `usage` is null for a container that does not run."""
    told = {"version": VERSION, "container": facts.name, "id": facts.id, "state": facts.health or facts.status}
    return told | {"usage": None if usage is None else asdict(usage)}


def show(console: Console, facts: ContainerFacts, usage: Usage | None) -> None:
    """Print one sample."""
    console.table(COLUMNS, [tuple(text.plain for text in _row(facts, usage))])


def watch(console: Console, samples: Iterable[tuple[ContainerFacts, Usage | None]]) -> None:
    """Draw each sample in the place of the one before."""
    with console.redrawn() as draw:
        for facts, usage in samples:
            table = Table(*COLUMNS, box=None, pad_edge=False, header_style="bold")
            table.add_row(*_row(facts, usage))
            draw(table)
    console.note("There is no container of that name any more.")


def _row(facts: ContainerFacts, usage: Usage | None) -> tuple[Text, ...]:
    state = facts.status if facts.status != "running" else facts.health or facts.status
    if usage is None:
        return Text(facts.name), Text(state), *(Text("") for _ in COLUMNS[2:])
    disk = UNCOUNTED if usage.read is None or usage.written is None else _both(usage.read, usage.written)
    pids = f"{usage.pids} of {usage.pids_limit}" if usage.pids_limit else str(usage.pids)
    return (
        Text(facts.name),
        Text(state),
        Text(cpu(usage), _style(usage.cpu, usage.cpus)),
        Text(memory(usage), _style(usage.memory, usage.memory_limit)),
        Text(_both(usage.received, usage.sent)),
        Text(disk),
        Text(pids, _style(usage.pids, usage.pids_limit)),
    )


def _both(one: int, other: int) -> str:
    return f"{amount(one)} / {amount(other)}"


def _style(used: float | None, limit: float | None) -> str:
    """Return how urgent it is that something comes near its limit."""
    share = used / limit if used is not None and limit else 0.0
    return "bold red" if share >= FULL else "yellow" if share >= MUCH else ""
