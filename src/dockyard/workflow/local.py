"""A leg -> what this machine does of it: each step's command with its variables, or why it is not run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard.workflow.expressions import UnknownError, expand, require_ours, require_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dockyard.workflow.legs import Leg
    from dockyard.workflow.read import Step

# As GitHub calls them where `shell` is not said, and where it is.
SHELLS = {"": ("bash", "-e", "-c"), "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")}
SETUP_PYTHON = "actions/setup-python"
ACTIONS = {
    "actions/checkout": "this folder is taken as it is",
    SETUP_PYTHON: "this machine's own is taken",
}


@dataclass(frozen=True, kw_only=True)
class Local:
    """One step on this machine.

    Attributes:
        label: What a person calls it.
        command: The shell and its script; empty if it is not run.
        env: Its variables, on top of ours.
        folder: Where it runs, from the project's root.
        reason: Why it is not run.
        lenient: Whether a failure of it ends nothing.
    """

    label: str
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    reason: str = ""
    lenient: bool = False


def prepared(leg: Leg, has_python: Callable[[str], bool]) -> Iterator[Local]:
    """Yield what this machine does for each step of a leg; the whole leg may be none of its business.

    Args:
        leg: A job, with values for its matrix.
        has_python: Whether this machine has a Python, for instance 3.12.
    """
    known = {f"matrix.{name}": value for name, value in leg.values.items()}
    try:
        require_true(leg.job.condition)
        _require_ours(leg, known, has_python)
    except UnknownError as unknown:
        yield Local(label="every step", reason=str(unknown))
        return
    for step in leg.job.steps:
        label = _label(step, known)
        try:
            yield _local(step, leg, known, label)
        except UnknownError as unknown:
            yield Local(label=label, reason=str(unknown))


def _label(step: Step, known: Mapping[str, str]) -> str:
    try:
        return expand(step.label, known)
    except UnknownError:
        return step.label


def _require_ours(leg: Leg, known: Mapping[str, str], has_python: Callable[[str], bool]) -> None:
    """Refuse what only GitHub's machines can give, and a leg that is about a Python which this machine has not."""
    if leg.job.odd:
        raise UnknownError(leg.job.odd)
    for step in leg.job.steps:
        version = step.inputs.get("python-version", "") if step.action == SETUP_PYTHON else ""
        if "matrix." in version and not has_python(expand(version, known)):
            raise UnknownError(f"this machine has no Python {expand(version, known)}")


def _local(step: Step, leg: Leg, known: Mapping[str, str], label: str) -> Local:
    if step.action:
        raise UnknownError(ACTIONS.get(step.action, "an action, which GitHub alone runs"))
    require_true(step.condition)
    if step.shell not in SHELLS:
        raise UnknownError(f"its shell is {step.shell}")
    env: dict[str, str] = {}
    for name, value in {**leg.job.env, **step.env}.items():
        env[name] = expand(value, {**known, **{f"env.{key}": each for key, each in env.items()}})
    known = {**known, **{f"env.{name}": value for name, value in env.items()}}
    script = expand(step.script, known)
    require_ours(script)
    return Local(
        label=label,
        command=(*SHELLS[step.shell], script),
        env=env,
        folder=expand(step.folder, known),
        lenient=step.lenient,
    )
