"""The only importer of rich: tables, notes and errors for people; plain when piped, JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from dockyard.errors import DockyardError

STYLES = {
    "found": "green",
    "done": "green",
    "missing": "yellow",
    "refused": "red",
    "ok": "green",
    "failed": "bold red",
    "unknown": "yellow",
    "pass": "green",
    "fail": "bold red",
    "waived": "magenta",
    "not-run": "yellow",
    "healthy": "green",
    "running": "green",
    "unhealthy": "bold red",
    "exited": "red",
}
PIPED_WIDTH = 160
SUBJECT_WIDTH = 40


class Console:
    """What a command says.

    Results go to standard output; progress, notes and errors to standard error, so that a pipe gets results alone.

    Args:
        quiet: Say nothing but results and errors.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._out = _rich(stderr=False)
        self.err = _rich(stderr=True)

    @property
    def live(self) -> bool:
        """Whether standard error is a terminal that can be redrawn."""
        return self.err.is_terminal and not self.err.is_dumb_terminal and not self.quiet

    @property
    def terminal(self) -> bool:
        """Whether results go to a terminal."""
        return self._out.is_terminal and sys.stdout.isatty()

    def note(self, text: str, *, style: str = "") -> None:
        """Say one thing on the way."""
        if not self.quiet:
            self.err.print(Text(text, style=style), soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a line that is a result."""
        self._out.print(Text(text), soft_wrap=True)

    def styled(self, text: Text) -> None:
        """Print a result in its own colours, folded where the terminal ends."""
        self._out.print(text, soft_wrap=True)

    @contextmanager
    def redrawn(self) -> Iterator[Callable[[RenderableType], None]]:
        """Yield what draws a result anew in its own place, which stays when the block ends."""
        with Live(console=self._out, auto_refresh=False) as live:
            yield lambda result: live.update(result, refresh=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table, without a header where no column has a name; known states are coloured."""
        table = Table(box=None, pad_edge=False, header_style="bold", show_header=bool(columns))
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
        self._out.print(table)

    def verdict(self, verdict: str, subject: str, evidence: str, *, width: int = SUBJECT_WIDTH) -> None:
        """Print a verdict and its evidence on one line, as soon as it is known; subjects of one list share a width."""
        told = Text.assemble((f"{verdict:<8}", STYLES.get(verdict, "")), f"{subject:<{width}} ", (evidence, "dim"))
        self._out.print(told, no_wrap=True, overflow="ellipsis")

    def document(self, value: Any) -> None:
        """Print a value as JSON."""
        sys.stdout.write(json.dumps(value, default=_plain, indent=2, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def error(self, error: DockyardError) -> None:
        """Print what happened, why, and what to do; in GitHub Actions as an annotation too."""
        self.err.print(Text.assemble(("error: ", "bold red"), (error.what, "bold")), soft_wrap=True)
        self.err.print(Text(error.why), soft_wrap=True)
        self.err.print(Text(error.todo, style="cyan"), soft_wrap=True)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            title = _escaped(error.what).replace(":", "%3A").replace(",", "%2C")
            sys.stderr.write(f"::error title={title}::{_escaped(f'{error.why} {error.todo}')}\n")

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines as they come, unchanged."""
        for line in lines:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def _rich(*, stderr: bool) -> RichConsole:
    """Return a console that neither guesses words to colour nor cuts a piped line at 80 columns."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return RichConsole(stderr=stderr, highlight=False, emoji=False, width=width)


def _escaped(text: str) -> str:
    """Write a text as GitHub's workflow commands take it: on one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
