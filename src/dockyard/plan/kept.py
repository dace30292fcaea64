"""A RunPlan as a record, to be told apart from others and to be run again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.plan.labels import RELEASE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.plan.run import RunPlan

# Where each start differs from the one before: no setting of anybody's.
OF_ONE_START = ("image", "key_volume")
# JSON has lists for them.
TUPLES = ("log_options", "command", "routes")


def to_record(plan: RunPlan) -> dict[str, Any]:
    """Return what a plan says, as JSON can hold it; there is no secret in a plan."""
    told = {each.name: getattr(plan, each.name) for each in fields(plan) if each.name not in OF_ONE_START}
    return {
        **told,
        "env": dict(plan.env),
        "binds": {str(folder): target for folder, target in plan.binds.items()},
        "labels": {name: value for name, value in plan.labels.items() if name != RELEASE},
        **{name: list(told[name]) for name in TUPLES},
    }


def from_record(record: Mapping[str, Any], base: RunPlan) -> RunPlan:
    """Return the plan of a record; what it does not know, or what came later, is as in `base`."""
    known = {each.name for each in fields(base)} - {*OF_ONE_START}
    told = {name: value for name, value in record.items() if name in known}
    if "binds" in told:
        told["binds"] = {Path(folder): target for folder, target in told["binds"].items()}
    told |= {name: tuple(told[name]) for name in TUPLES if name in told}
    return replace(base, **told)


def fingerprint(plan: RunPlan) -> str:
    """Return twelve digits that are the same for the same settings."""
    return hashlib.sha256(json.dumps(to_record(plan), sort_keys=True).encode()).hexdigest()[:12]


def differences(one: RunPlan, other: RunPlan) -> tuple[str, ...]:
    """Say in which settings two plans differ, for instance `memory: 512m, not 256m`."""
    mine, theirs = to_record(one), to_record(other)
    return tuple(f"{name}: {mine[name]}, not {theirs[name]}" for name in mine if mine[name] != theirs[name])
