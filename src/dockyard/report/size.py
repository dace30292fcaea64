"""An image's size in each form: for people, for programs, for a job's summary, as a picture."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockyard.errors import SettingsError
from dockyard.report import size_table
from dockyard.report.size_json import document
from dockyard.report.size_markdown import markdown
from dockyard.report.size_svg import svg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dockyard.report.console import Console
    from dockyard.report.size_table import Detail
    from dockyard.size import Sized


@contextmanager
def reading(console: Console, name: str) -> Iterator[None]:
    """Say what is read while the block runs, on a terminal."""
    if not console.live:
        yield
        return
    with console.err.status(f"reading every layer of {name}"):
        yield


def show(console: Console, sized: Sized, form: str, detail: Detail) -> None:
    """Print an image's size."""
    if form == "json":
        told = json.dumps(document(sized, depth=detail.depth), indent=2, ensure_ascii=False)
        console.lines(told.splitlines())
    elif form == "markdown":
        console.lines(markdown(sized, detail).splitlines())
    elif form == "svg":
        console.lines(svg(sized.measured).splitlines())
    else:
        size_table.show(console, sized, detail)


def target(path: Path) -> Path:
    """Return a path that a picture can be written to; raise SettingsError before anything is done for nothing."""
    if not path.absolute().parent.is_dir():
        raise SettingsError(f"--svg {path} is not possible.", f"There is no folder {path.parent}.", "Make it first.")
    return path


def write_svg(sized: Sized, path: Path) -> None:
    """Write the treemap as a picture that stands alone."""
    path.write_text(svg(sized.measured), "utf-8")
