"""A workflow's file -> its jobs and their steps, as far as a machine that is not GitHub's can use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        label: What a person calls it: its name, else its command's first line, else its action.
        script: Its command; empty for an action.
        action: Its action, without the commit; empty for a command.
        inputs: What an action is given.
        condition: Its `if`.
        env: Its variables, on top of those of the job.
        folder: Where it runs, from the project's root.
        shell: Empty is bash, as GitHub has it.
        lenient: Whether a failure of it ends nothing.
    """

    label: str
    script: str = ""
    action: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    shell: str = ""
    lenient: bool = False


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job.

    Attributes:
        needs: The jobs that must have ended before it.
        condition: Its `if`.
        matrix: Name to values; empty where it runs once.
        odd: What keeps all of it from running elsewhere; empty if nothing does.
        env: Its variables, those of the workflow among them.
    """

    id: str
    name: str
    needs: tuple[str, ...] = ()
    condition: str = ""
    matrix: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    odd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A workflow; its jobs stand in an order in which each follows those that it needs."""

    path: Path
    jobs: tuple[Job, ...]


def read(path: Path) -> Workflow:
    """Read a workflow.

    Raises:
        SettingsError: It is not there, or none.
    """
    import yaml  # noqa: PLC0415 - few need it

    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _unreadable(path, " ".join(str(error).split())) from error
    jobs = document.get("jobs") if isinstance(document, dict) else None
    if not isinstance(jobs, dict) or not jobs or not all(isinstance(each, dict) for each in jobs.values()):
        raise _unreadable(path, "It has no table `jobs`.")
    above = {"env": document.get("env"), "defaults": document.get("defaults")}
    return Workflow(path=path, jobs=tuple(_ordered([_job(name, table, above) for name, table in jobs.items()])))


def _unreadable(path: Path, why: str) -> SettingsError:
    return SettingsError(f"{path} is no workflow.", why, "Mend it, or name another one by --workflow.")


def _job(name: str, table: Mapping[str, Any], above: Mapping[str, object]) -> Job:
    strategy = table.get("strategy")
    matrix = strategy.get("matrix", {}) if isinstance(strategy, dict) else {}
    odd = _odd(table, matrix)
    needs = table.get("needs", ())
    defaults = {**_run(above["defaults"]), **_run(table.get("defaults"))}
    # A job that calls another workflow has no steps: the call is its only one.
    steps = table.get("steps") or ([{"uses": table["uses"]}] if "uses" in table else [])
    return Job(
        id=name,
        name=str(table.get("name", name)),
        needs=(needs,) if isinstance(needs, str) else tuple(map(str, needs)),
        condition=_text(table.get("if")),
        matrix={} if odd else {key: tuple(map(_text, values)) for key, values in matrix.items()},
        odd=odd,
        env={**_texts(above["env"]), **_texts(table.get("env"))},
        steps=tuple(_step({**defaults, **each}) for each in steps if isinstance(each, dict)),
    )


def _odd(table: Mapping[str, Any], matrix: object) -> str:
    """Say what of a job only GitHub's machines can give."""
    lists = isinstance(matrix, dict) and all(isinstance(each, list) for each in matrix.values())
    if not lists or (isinstance(matrix, dict) and {"include", "exclude"} & set(matrix)):
        return "its matrix is more than lists of values"
    return next((f"it has `{key}`, which GitHub starts" for key in ("container", "services") if table.get(key)), "")


def _run(defaults: object) -> dict[str, Any]:
    """Return what holds for each command that does not say otherwise: its shell, its folder."""
    run = defaults.get("run") if isinstance(defaults, Mapping) else None
    return {key: run[key] for key in ("shell", "working-directory") if key in run} if isinstance(run, Mapping) else {}


def _step(table: Mapping[str, Any]) -> Step:
    script, action = _text(table.get("run")), _text(table.get("uses")).partition("@")[0]
    return Step(
        label=_text(table.get("name")) or next(iter(script.strip().splitlines()), "") or action,
        script=script,
        action=action,
        inputs=_texts(table.get("with")),
        condition=_text(table.get("if")),
        env=_texts(table.get("env")),
        folder=_text(table.get("working-directory")),
        shell=_text(table.get("shell")),
        lenient=table.get("continue-on-error") is True,
    )


def _text(value: object) -> str:
    """Return a scalar as GitHub hands it on."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _texts(table: object) -> dict[str, str]:
    return {str(name): _text(value) for name, value in table.items()} if isinstance(table, Mapping) else {}


def _ordered(jobs: list[Job]) -> list[Job]:
    """Put each job after those that it needs; else as the file has them."""
    done: list[Job] = []
    while left := [job for job in jobs if job not in done]:
        ended = {job.id for job in done}
        known = {job.id for job in jobs}
        # A circle, which GitHub would refuse, is left as it stands.
        done.append(next((job for job in left if set(job.needs) & known <= ended), left[0]))
    return done
