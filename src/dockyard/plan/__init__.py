"""Settings -> BuildPlan and RunPlan: what will be asked of the engine, as data. Nothing here asks it."""

from __future__ import annotations

from dockyard.plan.build import AS_USUAL, BuildOptions, BuildPlan, Offline, arguments, build_plan
from dockyard.plan.caches import LayerCache, layer_cache
from dockyard.plan.kept import differences, fingerprint, from_record, to_record
from dockyard.plan.labels import BEHIND, OCI, PROJECT, RELEASE, ROLE
from dockyard.plan.run import (
    KEY_FILE,
    KEY_NAME,
    SECRETS,
    RunPlan,
    candidate_plan,
    development_plan,
    production_plan,
    throwaway_plan,
)

__all__ = [
    "AS_USUAL",
    "BEHIND",
    "KEY_FILE",
    "KEY_NAME",
    "OCI",
    "PROJECT",
    "RELEASE",
    "ROLE",
    "SECRETS",
    "BuildOptions",
    "BuildPlan",
    "LayerCache",
    "Offline",
    "RunPlan",
    "arguments",
    "build_plan",
    "candidate_plan",
    "development_plan",
    "differences",
    "fingerprint",
    "from_record",
    "layer_cache",
    "production_plan",
    "throwaway_plan",
    "to_record",
]
