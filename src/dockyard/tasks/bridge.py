"""Makes Invoke tasks of functions: every error becomes its message and its exit code, once for all of them."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from dockyard.errors import DockyardError, Interrupted, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from invoke.context import Context

    from dockyard.pipeline import Project

FORMATS = ("table", "json")
CLOSED_PIPE = 141


def command(body: Callable[..., None]) -> Callable[..., None]:
    """Bridge a function's errors; Invoke would show a traceback for any but its own."""

    @functools.wraps(body)
    def bridged(context: Context, /, **arguments: Any) -> None:
        try:
            body(context, **arguments)
        except DockyardError as error:
            _fail(error)
        except KeyboardInterrupt:
            _fail(Interrupted("Stopped.", "Ctrl-C was pressed.", "Nothing else was changed."))
        except BrokenPipeError:
            # Whoever read our output has enough, as `head` has; Python would complain of it once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise Exit(code=CLOSED_PIPE) from None
        except Exit:
            raise
        except Exception as error:
            _fail(_bug(error))

    return bridged


def _fail(error: DockyardError) -> None:
    from dockyard.report.console import Console

    Console().error(error)
    raise Exit(code=error.exit_code) from None


def _bug(error: Exception) -> DockyardError:
    """Keep the traceback in a file, and say where it is."""
    with tempfile.NamedTemporaryFile("w", prefix="dockyard-", suffix=".txt", delete=False, encoding="utf-8") as report:
        traceback.print_exception(error, file=report)
    return DockyardError(
        "This is a mistake in dockyard, not yours.",
        f"{type(error).__name__}: {error}",
        f"Please report it with {report.name}, after a look that it holds nothing private.",
    )


def opened(arguments: dict[str, Any] | None = None, *, quiet: bool = False) -> Project:
    """Return the project of the working folder, with the settings that flags give."""
    from dockyard import pipeline

    return pipeline.open_project(arguments, quiet=quiet)


def choice(flag: str, given: str, choices: Sequence[str]) -> str:
    """Return what was given, or raise SettingsError if it is none of the choices."""
    if given not in choices:
        what = f"--{flag} {given} is unknown." if given else f"--{flag} is missing."
        raise SettingsError(what, f"It can be {', '.join(choices)}.", "Take one of them.")
    return given


def as_json(given: str) -> bool:
    """Whether `--format` asks for JSON."""
    return choice("format", given, FORMATS) == "json"


def whole_number(flag: str, given: str) -> int:
    """Return a number of one or more, or raise SettingsError."""
    if not (given.isascii() and given.isdigit() and int(given) > 0):
        raise SettingsError(f"--{flag} {given} is unknown.", "It must be a whole number, one or more.", "Correct it.")
    return int(given)


def seconds(flag: str, given: str) -> float:
    """Return a number of seconds, zero or more, or raise SettingsError."""
    try:
        number = float(given)
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise SettingsError(f"--{flag} {given} is unknown.", "It must be seconds, zero or more.", "Correct it.")
    return number
