"""Provenance: asked for where it can be had, read back and compared."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard import provenance
from dockyard.errors import AuditError
from dockyard.plan.build import LOCK

if TYPE_CHECKING:
    from dockyard.build import BuildRecord
    from dockyard.pipeline.project import Project
    from dockyard.plan import BuildPlan

SHOWN = 12


def attesting(project: Project, asked: BuildPlan, mode: str) -> BuildPlan:
    """Return the build with its provenance, and the lock's digest in it; or without, and a note that says why.

    Args:
        project: Whose engine is to have the image.
        asked: The build.
        mode: min or max.
    """
    why = ""
    if len(asked.platforms) > 1:
        why = "of an image of several platforms it is not read back"
    elif not project.engine.daemon.server().containerd_store:
        why = "this engine keeps images in its classic store, which has no place for it"
    if why:
        note = f"No provenance is attached: {why}."
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
    what = f"The provenance of {asked.tags[0]} is not that of this build."
    todo = "Do not push it. Build it again; if that does not help, look at `attestations` in .dockyard/builds."
    if len(found) != 1:
        raise AuditError(what, f"The engine has {len(found)} SLSA statements of {record.digest}.", todo)
    told = found[0]
    wrong = provenance.compare(told, asked, digest=record.digest, args=record.args)
    if asked.provenance == "max" and not told.whole:
        wrong += (provenance.Finding(kind="missing", subject="how the build was asked for (mode max)"),)
    if wrong:
        raise AuditError(what, "\n".join(map(str, wrong)), todo)
    lock = record.args.get(LOCK, "").removeprefix("sha256:")[:SHOWN]
    parts = [f"{len(told.materials)} material{'' if len(told.materials) == 1 else 's'}"]
    parts += [f"{len(told.args)} arguments, {len(told.labels)} labels"] if told.whole else []
    parts += [f"the lock {lock}"] if lock else []
    about = f"SLSA {told.version}, mode {asked.provenance}; {', '.join(parts)}"
    return f"Provenance: {about}, all as asked. With it, in one index:\n{record.index}"
