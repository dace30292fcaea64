"""A bill of materials in each form: for people, for programs, for a job's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard import sbom
from dockyard.errors import SettingsError
from dockyard.report import sbom_table
from dockyard.report.sbom_markdown import markdown

if TYPE_CHECKING:
    from pathlib import Path

    from dockyard.report.console import Console
    from dockyard.sbom import Listing


def show(console: Console, listing: Listing, form: str, top: int) -> None:
    """Print a bill; as JSON it is the CycloneDX document."""
    if form == "json":
        console.lines(sbom.written(listing.bill).splitlines())
    elif form == "markdown":
        console.lines(markdown(listing).splitlines())
    else:
        sbom_table.show(console, listing, top)


def target(path: Path) -> Path:
    """Return a path that a document can be written to; raise SettingsError before anything is done for nothing."""
    if not path.absolute().parent.is_dir() or path.is_dir():
        why = "It is a folder." if path.is_dir() else f"There is no folder {path.parent}."
        raise SettingsError(f"--write {path} is not possible.", why, "Name a file in a folder that is there.")
    return path


def write(console: Console, listing: Listing, path: Path) -> None:
    """Write the CycloneDX document, and say so."""
    path.write_text(sbom.written(listing.bill), "utf-8")
    console.note(f"{path} has the {len(listing.bill.components)} components as CycloneDX 1.6.")
