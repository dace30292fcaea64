"""The one family of errors, and the exit code of each kind.

DockyardError           1  (never raised itself)
├── SettingsError       2  usage or settings
├── EngineError         3  the engine or the machine
├── BuildError          4  the build
├── AuditError          5  a rule, a budget or a licence policy
├── UnhealthyError      6  the container or a probe
├── DeployError         7  a deployment, rolled back
└── Interrupted       130  Ctrl-C, as shells count it
"""

from __future__ import annotations


class DockyardError(Exception):
    """Something the user can act on: what happened, why, and what to do next.

    Args:
        what: One sentence, in the user's words.
        why: The cause; the last useful line of the tool's own output where there is one.
        todo: The next step, preferably a command.
    """

    exit_code = 1

    def __init__(self, what: str, why: str, todo: str) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.todo = todo

    def __str__(self) -> str:
        return f"{self.what}\n{self.why}\n{self.todo}"


class SettingsError(DockyardError):
    """A wrong argument, environment variable or key in pyproject.toml."""

    exit_code = 2


class EngineError(DockyardError):
    """The engine, or the machine it runs on, cannot do what was asked."""

    exit_code = 3


class BuildError(DockyardError):
    """The build of an image failed."""

    exit_code = 4


class AuditError(DockyardError):
    """A rule, a budget or a licence policy is not met."""

    exit_code = 5


class UnhealthyError(DockyardError):
    """A container does not become healthy, or a probe fails."""

    exit_code = 6


class DeployError(DockyardError):
    """A deployment failed and was rolled back."""

    exit_code = 7


class Interrupted(DockyardError):  # noqa: N818 - it is not a mistake
    """The user pressed Ctrl-C."""

    exit_code = 130
