"""A new key comes in while the service serves, and the old one goes; what the service does not take is put back."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.engines.containers import Container
from dockyard.engines.volumes import replace_file
from dockyard.errors import EngineError, Interrupted, UnhealthyError
from dockyard.plan import KEY_NAME, PROJECT, ROLE, SECRETS
from dockyard.run.rotation import BEGUN, FINISHING, OVERLAP, both
from dockyard.run.shield import shielded
from dockyard.run.swap import Step, perform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pydantic import SecretStr

    from dockyard.engines import Engine
    from dockyard.engines.facts import ContainerFacts
    from dockyard.run.rotation import Rotation

PAUSE = 0.1
IN_A_ROW = 3  # a service of several processes has as many that must read it
REREAD = "import os, signal, sys; os.kill(1, getattr(signal, 'SIG' + sys.argv[1]))"
HELP = "Let the service read its key file again (docs/operations.md, Rotate the key), and look at `invoke logs`."


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the service said to a key.

    Attributes:
        accepted: None if it is neither known to be accepted nor to be refused.
        told: Its answer in a line, without the key.
    """

    accepted: bool | None
    told: str


@dataclass(kw_only=True)
class Turn:
    """A rotation at work.

    Attributes:
        facts: The container that serves.
        group: The GID that may read its key file.
        signal: Sent to it once the file has changed; empty if it looks by itself.
        seconds: Within which it must have read the file.
        ask: Asks it with a key.
        stage: What is written down beside each step.
    """

    facts: ContainerFacts
    engine: Engine
    rotation: Rotation
    group: int
    signal: str
    seconds: float
    ask: Callable[[str], Asked]
    new: SecretStr
    old: SecretStr
    stage: str = BEGUN

    def note(self, _: Turn, step: str, /) -> None:
        """Write down a step, before it is done."""
        self.rotation.note(self.stage, step)


def introduce(turn: Turn) -> None:
    """Let the service accept the new key beside the old one.

    Raises:
        EngineError: The key file could not be changed.
        UnhealthyError: The service did not take the new key; the old file was put back.
        Interrupted: Ctrl-C; the old file was put back, or both keys are accepted already.
    """
    turn.stage = BEGUN
    with _undone(turn, _withdraw, "The key was not rotated."):
        perform(INTRODUCE, turn)
    with both_accepted(), shielded():
        turn.rotation.note(OVERLAP, "accept both keys")
        turn.rotation.promote()


@contextmanager
def both_accepted() -> Iterator[None]:
    """Say of a Ctrl-C in the block how it leaves the keys.

    Raises:
        Interrupted: Ctrl-C; both keys are accepted on.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            "The old key was not removed.",
            "Ctrl-C was pressed while both keys are accepted.",
            "`invoke rotate-key --finish` removes it.",
        ) from None


def retire(turn: Turn) -> None:
    """Let the service refuse the old key.

    Raises:
        EngineError: The key file could not be changed.
        UnhealthyError: The service goes on accepting the old key, or refuses the new one; both were put back.
        Interrupted: Ctrl-C; both were put back.
    """
    turn.stage = FINISHING
    with _undone(turn, _keep_both, "The old key was not removed."):
        perform(RETIRE, turn)
    turn.rotation.conclude()


@contextmanager
def _undone(turn: Turn, undo: Callable[[Turn], str], failed: str) -> Iterator[None]:
    """Undo what the block began if it fails or is interrupted, and say how that left it."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(failed, "Ctrl-C was pressed.", undo(turn)) from None
    except (EngineError, UnhealthyError) as error:
        error.todo += f" {undo(turn)}"
        raise


def _withdraw(turn: Turn) -> str:
    """Put the old keys back and forget the new one; say how it was left."""
    if not _given_back(turn, turn.old):
        return "The old key file could not be put back; `invoke rotate-key` tries again."
    turn.rotation.forget()
    return "The old key file was put back, and the old key is accepted."


def _keep_both(turn: Turn) -> str:
    """Put both keys back; say how it was left."""
    if not _given_back(turn, both(turn.new, turn.old)):
        return "The file with both keys could not be put back; `invoke rotate-key --finish` tries again."
    turn.rotation.note(OVERLAP, "accept both keys")
    return "Both keys are accepted, as before."


def _given_back(turn: Turn, keys: SecretStr) -> bool:
    """Write keys that were accepted before; whether they are again."""
    with shielded(deaf=True):
        try:
            _give(turn, keys)
            _reread(turn)
            _until(turn, [(each, True) for each in _lines(turn.old)])
        except (EngineError, UnhealthyError):
            return False
    return True


def _give(turn: Turn, keys: SecretStr) -> None:
    facts = turn.facts
    replace_file(
        turn.engine.daemon,
        facts.mounts[SECRETS],
        image=facts.image_id,
        name=KEY_NAME,
        content=keys.get_secret_value().encode() + b"\n",
        group=turn.group,
        labels={PROJECT: facts.labels[PROJECT], ROLE: "carrier"},
    )


def _reread(turn: Turn) -> None:
    """Send the signal from inside: one that `docker kill` was used on, with any signal, is not restarted any more."""
    if not turn.signal:
        return
    container = Container(daemon=turn.engine.daemon, id=turn.facts.id)
    done = container.execute(["python", "-c", REREAD, turn.signal])
    if done.code:
        raise EngineError(f"{turn.facts.name} could not be sent SIG{turn.signal}.", done.last_line, HELP)


def _lines(keys: SecretStr) -> list[str]:
    return keys.get_secret_value().split()


def _until(turn: Turn, wanted: Sequence[tuple[str, bool]]) -> None:
    """Return once the service accepts and refuses what it should, some times in a row."""
    deadline = time.monotonic() + turn.seconds
    good = 0
    while good < IN_A_ROW:
        wrong = _wrong(turn, wanted)
        good = 0 if wrong else good + 1
        if wrong and time.monotonic() > deadline:
            raise UnhealthyError(
                f"{turn.facts.name} does not go by its new key file.",
                f"After {turn.seconds:g} s: {wrong}",
                HELP,
            )
        if good < IN_A_ROW:
            time.sleep(PAUSE)


def _wrong(turn: Turn, wanted: Sequence[tuple[str, bool]]) -> str:
    """Say which key is not answered as it should be, and how; empty if all are."""
    new = _lines(turn.new)
    for key, accepted in wanted:
        asked = turn.ask(key)
        if asked.accepted is not accepted:
            which = "the new key" if key in new else "the old key"
            return f"{which} must be {'accepted' if accepted else 'refused'}, and it answers {asked.told}"
    return ""


def _ask_both(turn: Turn) -> None:
    _until(turn, [(each, True) for each in _lines(both(turn.new, turn.old))])


def _ask_new(turn: Turn) -> None:
    gone = [each for each in _lines(turn.old) if each not in _lines(turn.new)]
    _until(turn, [*((each, True) for each in _lines(turn.new)), *((each, False) for each in gone)])


INTRODUCE: tuple[Step, ...] = (
    Step(name="write both keys", act=lambda turn: _give(turn, both(turn.new, turn.old))),
    Step(name="have both keys read", act=_reread),
    Step(name="ask with both keys", act=_ask_both, waits=True),
)
RETIRE: tuple[Step, ...] = (
    Step(name="write the new key alone", act=lambda turn: _give(turn, turn.new)),
    Step(name="have the new key read", act=_reread),
    Step(name="ask with the old key", act=_ask_new, waits=True),
)
