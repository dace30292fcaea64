"""What a swap is at, written before each step, so that whoever comes after a kill knows what was going on."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from dockyard.errors import EngineError
from dockyard.run.releases import Release, read
from dockyard.run.swap import FAILED
from dockyard.state import described

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.run.swap import Swap
    from dockyard.state import State


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the journal holds.

    Attributes:
        step: The step that was begun.
        back: Whether it was a step of the way back.
        old: Id of the container that served; empty if there was none.
        was: The state of that one then, for instance running.
        began: When that one had been started; empty if that was not written down.
        release: What was to be released.
        keep: How many releases are kept.
        who: The command, as `state.myself` tells it.
    """

    step: str
    back: bool
    old: str
    was: str
    release: Release
    keep: int
    who: Mapping[str, str]
    began: str = ""

    @property
    def told(self) -> str:
        """Say what was cut off."""
        return f"{described(self.who)} was cut off at the step `{self.step}`."


class Journal:
    """The journal of one container: `.dockyard/run/NAME.json`.

    Args:
        state: The project's records.
        name: Of the container.
    """

    def __init__(self, state: State, name: str) -> None:
        self._state, self._record = state, f"run/{name}.json"

    def write(self, swap: Swap, step: str, **known: Any) -> None:
        """Write down a step, before it is done."""
        back = swap.park == FAILED
        # On the way back the container that served is the one that comes in; it is known from the way there.
        told = self._state.read_record(self._record) if back else None
        old = swap.outgoing
        was = {"old": old.id, "was": old.status, "began": old.started} if old else {"old": "", "was": ""}
        record = told or {**was, **known}
        with suppress(EngineError) if back else nullcontext():
            # A full disk keeps nobody from the way back.
            self._state.write_record(self._record, {**record, "step": step, "back": back})

    def read(self) -> Entry | None:
        """Return what a killed command left; None if it left nothing, or nothing that can be understood."""
        record = self._state.read_record(self._record)
        release = read((record or {}).get("release") or {})
        if record is None or release is None:
            return None
        names = {each.name for each in fields(Entry)} - {"release"}
        return Entry(**{name: record[name] for name in names if name in record}, release=release)

    def clear(self) -> None:
        """Forget it: all is done, or undone."""
        self._state.remove(self._record)


def known(release: Release, keep: int, who: Mapping[str, str]) -> dict[str, Any]:
    """Return what the journal says of a release beside its step."""
    return {"release": asdict(release), "keep": keep, "who": dict(who)}
