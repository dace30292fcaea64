"""Provenance: asked for where it can be had, read back and compared."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard import provenance
from dockyard.errors import AuditError
from dockyard.plan.build import LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.build import BuildRecord
    from dockyard.pipeline.project import Project
    from dockyard.plan import BuildPlan
    from dockyard.provenance import Finding, Statement

SHOWN = 12


def attesting(project: Project, asked: BuildPlan, mode: str) -> BuildPlan:
    """Return the build with its provenance, and the lock's digest in it; or without, and a note that says why.

    Args:
        project: Whose engine is to have the image.
        asked: The build.
        mode: min or max.
    """
    if not project.engine.daemon.server().containerd_store:
        note = "No provenance is attached: this engine keeps images in its classic store, which has no place for it."
        return replace(asked, note=f"{asked.note}\n{note}".strip())
    lock = project.settings.root / project.settings.audit.lock
    args = dict(asked.args)
    if mode == "max" and lock.is_file():
        args[LOCK] = f"sha256:{hashlib.sha256(lock.read_bytes()).hexdigest()}"
    return replace(asked, provenance=mode, args=args)


def require_true(asked: BuildPlan, record: BuildRecord) -> str:
    """Return in a line what is attested of a build, as the engine has it.

    Args:
        asked: The build.
        record: What came of it.

    Raises:
        AuditError: Nothing is, or something else than what was asked.
    """
    found = list(provenance.statements(record.attestations))
    images = record.platforms or (record.digest,)
    what = f"The provenance of {asked.tags[0]} is not that of this build."
    todo = "Do not push it. Build it again; if that does not help, look at `attestations` in .dockyard/builds."
    if len(found) != len(images):
        counted = f"{len(found)} SLSA statement{'' if len(found) == 1 else 's'}"
        raise AuditError(what, f"The engine has {counted} of {' and '.join(images)}.", todo)
    told = found[0]
    wrong = dict.fromkeys(each for one in zip(found, images, strict=True) for each in _wrong(asked, record, *one))
    if wrong:
        raise AuditError(what, "\n".join(map(str, wrong)), todo)
    lock = record.args.get(LOCK, "").removeprefix("sha256:")[:SHOWN]
    parts = [f"{len(images)} platforms"] if len(images) > 1 else []
    parts += [f"{len(told.materials)} material{'' if len(told.materials) == 1 else 's'}"]
    parts += [f"{len(told.args)} arguments, {len(told.labels)} labels"] if told.whole else []
    parts += [f"the lock {lock}"] if lock else []
    about = f"SLSA {told.version}, mode {asked.provenance}; {', '.join(parts)}"
    return f"Provenance: {about}, all as asked. With it, in one index:\n{record.index}"


def _wrong(asked: BuildPlan, record: BuildRecord, told: Statement, digest: str) -> Iterator[Finding]:
    """Yield what one provenance says else than it should of one image."""
    yield from provenance.compare(told, asked, digest=digest, args=record.args)
    if asked.provenance == "max" and not told.whole:
        yield provenance.Finding(kind="missing", subject="how the build was asked for (mode max)")
