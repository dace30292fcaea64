"""What is known of a key's rotation: how far it is, and both keys, in files that only their owner may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dockyard.run.own import keys_of, ours
from dockyard.settings.key import STORED, Key
from dockyard.state import PRIVATE, described, myself

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.engines import Engine
    from dockyard.state import State

FOLDER = "rotation"
# The new key comes in; both are accepted; the old one goes; it is gone.
BEGUN, OVERLAP, FINISHING, DONE = "begun", "overlap", "finishing", "done"


@dataclass(frozen=True, kw_only=True)
class Known:
    """How far a rotation is.

    Attributes:
        stage: begun, overlap, finishing or done.
        step: The step that was begun last.
        time: When it began.
        who: The command that was at it last, as `state.myself` tells it.
        new: The keys that take over, one a line.
        old: Those that go; empty once they have gone.
    """

    stage: str
    step: str
    time: str
    who: Mapping[str, str]
    new: SecretStr
    old: SecretStr

    @property
    def accepted(self) -> SecretStr:
        """What the service accepts for certain, one a line."""
        if self.stage == BEGUN:
            return self.old
        return both(self.new, self.old) if self.stage == OVERLAP else self.new

    @property
    def told(self) -> str:
        """Say what was cut off."""
        return f"{described(self.who)} was cut off at the step `{self.step}`."

    @property
    def unfinished(self) -> str:
        """Say what remains to be done; empty if nothing does."""
        if self.stage == OVERLAP:
            return f"Old and new API key are accepted since {self.time}: `invoke rotate-key --finish` removes the old."
        if self.stage in (BEGUN, FINISHING):
            command = "`invoke rotate-key`" if self.stage == BEGUN else "`invoke rotate-key --finish`"
            return f"{self.told} {command} goes on with it."
        return ""


def both(new: SecretStr, old: SecretStr) -> SecretStr:
    """Return the keys together, the new ones first: who asks the service for us takes the first."""
    return SecretStr(f"{new.get_secret_value()}\n{old.get_secret_value()}")


class Rotation:
    """The rotation of one container's key: `.dockyard/rotation/NAME.json`, and the keys beside it.

    Args:
        state: The project's records.
        name: Of the container.
    """

    def __init__(self, state: State, name: str) -> None:
        self._state, self._stem = state, f"{FOLDER}/{name}"

    def read(self) -> Known | None:
        """Return how far it is; None if there was none."""
        record = self._state.read_record(f"{self._stem}.json")
        new = self._state.read_text(f"{self._stem}.new" if record and record["stage"] != DONE else STORED)
        if record is None or new is None:
            return None
        old = self._state.read_text(f"{self._stem}.old") or ""
        return Known(**record, new=SecretStr(new.strip()), old=SecretStr(old.strip()))

    def begin(self, new: SecretStr, old: SecretStr) -> Known:
        """Keep both keys before anything is done with them."""
        self._keep("new", new)
        self._keep("old", old)
        who, step = myself(), "keep both keys"
        self._write(BEGUN, step, who["since"])
        return Known(stage=BEGUN, step=step, time=who["since"], who=who, new=new, old=old)

    def note(self, stage: str, step: str) -> None:
        """Write down a step, before it is done."""
        known = self.read()
        self._write(stage, step, known.time if known else myself()["since"])

    def promote(self) -> Path:
        """Make the new key the one that is kept; return where."""
        text = self._state.read_text(f"{self._stem}.new") or ""
        return self._state.write(STORED, text.encode(), mode=PRIVATE)

    def conclude(self) -> None:
        """Forget the old key; that there was a rotation is known on."""
        self.promote()
        self.note(DONE, "forget the old key")
        for each in ("old", "new"):
            self._state.remove(f"{self._stem}.{each}")

    def forget(self) -> None:
        """Forget all of it, but not the key that is kept."""
        for each in ("json", "old", "new"):
            self._state.remove(f"{self._stem}.{each}")

    def key_in_use(self, name: str, project: str, engine: Engine) -> Key | None:
        """Return the keys in use since a rotation: those of the container, if it is there; None if there was none."""
        known = self.read()
        if known is None:
            return None
        facts = engine.daemon.container(name)
        text = keys_of(facts, engine) if facts and ours(facts, project) else known.accepted.get_secret_value()
        return Key(value=SecretStr(text), origin=f"the rotation of {known.time}")

    def _keep(self, name: str, key: SecretStr) -> None:
        self._state.write(f"{self._stem}.{name}", f"{key.get_secret_value()}\n".encode(), mode=PRIVATE)

    def _write(self, stage: str, step: str, time: str) -> None:
        self._state.write_record(f"{self._stem}.json", {"stage": stage, "step": step, "time": time, "who": myself()})
