"""The production key rotated while the service serves: the new one comes in, both are accepted, the old one goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dockyard import run, smoke
from dockyard.errors import EngineError, SettingsError
from dockyard.machine.corporate import REDACTED
from dockyard.pipeline.release import settle
from dockyard.pipeline.trial import target_of
from dockyard.run.rotation import BEGUN, DONE
from dockyard.settings import key
from dockyard.smoke.target import OK, UNPROCESSABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dockyard.pipeline.project import Project
    from dockyard.run.rotation import Known

REFUSED = (401, 403)


def rotate_key(project: Project, *, env_file: Path | None = None, ask: Callable[[], str] | None = None) -> Path:
    """Let the service accept a new key beside the old one; return the file in which the new one is kept.

    Args:
        project: Whose production container it is.
        env_file: Holds the new key.
        ask: Asks a person for it; without both a key is made.

    Raises:
        EngineError: The container does not run, or a rotation is not finished.
        SettingsError: The new key cannot be used.
        UnhealthyError: The service does not take it; the old key file was put back.
    """
    with project.state.lock("run"):
        settle(project)
        rotation, target = _rotation(project), _target(project)
        known = rotation.read()
        if known and known.stage == BEGUN:
            _go_on(project, known, target, chosen=bool(env_file or ask))
        elif known and known.stage != DONE:
            raise EngineError("A rotation is not finished, so no key was made.", known.unfinished, "Finish it first.")
        else:
            old = SecretStr(run.keys_of(target.facts, project.engine))
            new = key.given(env_file=env_file, ask=ask, length=project.settings.run.key_length)
            _require_another(new, old)
            known = rotation.begin(new.value, old)
        project.announce("the new key comes in")
        run.introduce(_turn(project, target, rotation, known))
    return project.state.folder / key.STORED


def finish_rotation(project: Project) -> Path:
    """Let the service refuse the old key; return the file in which the new one is kept.

    Raises:
        EngineError: The container does not run, or there is nothing to finish.
        UnhealthyError: The service goes on accepting it; both keys were put back.
    """
    with project.state.lock("run"):
        settle(project)
        rotation = _rotation(project)
        known = rotation.read()
        if known is None or known.stage == DONE:
            raise EngineError(
                "There is no rotation to finish.",
                f"The last one was that of {known.time}." if known else "The key was not rotated yet.",
                "`invoke rotate-key` begins one.",
            )
        if known.stage == BEGUN:
            raise EngineError(
                "The new key is not known to be in use, so the old one stays.",
                known.told,
                "`invoke rotate-key` goes on.",
            )
        target = _target(project)
        if not set(known.new.get_secret_value().split()) <= set(run.keys_of(target.facts, project.engine).split()):
            raise EngineError(
                f"{target.facts.name} does not have the new key, so nothing was removed.",
                f"It was given another one since {known.time}.",
                "Give it the right one: `invoke run --prod --env-file FILE`.",
            )
        project.announce("the old key goes")
        run.retire(_turn(project, target, rotation, known))
    return project.state.folder / key.STORED


def overlap(seconds: float, told: Callable[[], None]) -> None:
    """Wait while both keys are accepted, holding no lock.

    Args:
        seconds: How long.
        told: Says so, before.

    Raises:
        Interrupted: Ctrl-C; both are accepted on.
    """
    with run.both_accepted():
        told()
        time.sleep(seconds)


def _rotation(project: Project) -> run.Rotation:
    return run.Rotation(project.state, project.settings.run.name)


def _target(project: Project) -> smoke.Target:
    name = project.settings.run.name
    return target_of(project, run.own_container(name, project.settings.image, project.engine))


def _turn(project: Project, target: smoke.Target, rotation: run.Rotation, known: Known) -> run.Turn:
    settings = project.settings.run
    return run.Turn(
        facts=target.facts,
        engine=project.engine,
        rotation=rotation,
        group=int(settings.user.split(":")[1]),
        signal=settings.key_signal,
        seconds=settings.key_wait,
        ask=_asker(target),
        new=known.new,
        old=known.old,
    )


def _asker(target: smoke.Target) -> Callable[[str], run.Asked]:
    """Return what asks for a prediction with a key; without a golden one any answer but a refusal will do."""
    golden = smoke.read_golden(target.settings)
    sample = golden[0].request if golden else {}
    good = (OK,) if golden else (OK, UNPROCESSABLE)

    def ask(given: str) -> run.Asked:
        answer = target.predict(sample, key=given)
        known = answer.status in good or answer.status in REFUSED
        told = str(answer).replace(given, REDACTED)
        return run.Asked(accepted=answer.status in good if known else None, told=told)

    return ask


def _go_on(project: Project, known: Known, target: smoke.Target, *, chosen: bool) -> None:
    """Say what a killed command left, as the service answers, and that its key is taken."""
    if chosen:
        raise SettingsError(
            "A rotation was cut off, so no other key is taken.", known.told, "Go on with it: `invoke rotate-key`."
        )
    ask = _asker(target)
    told = []
    for which, keys in (("old", known.old), ("new", known.new)):
        accepted = all(ask(each).accepted for each in keys.get_secret_value().split())
        told.append(f"the {which} key is {'accepted' if accepted else 'not accepted'}")
    project.console.note(f"{known.told} Now {' and '.join(told)}. It goes on.", style="yellow")


def _require_another(new: key.Key, old: SecretStr) -> None:
    if set(new.lines) & set(old.get_secret_value().split()):
        raise SettingsError(
            "The new key is one that is in use, so nothing was changed.", f"It is from {new.origin}.", key.MAKE
        )
