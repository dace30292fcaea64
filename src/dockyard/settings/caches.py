"""The table of caches that outlive the builder: layers by a preset, cache mounts in an archive."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dockyard.settings.fields import CACHE_PART, SIZE, Section


class Cache(Section):
    """Caches that outlive the builder, as CI needs them; credentials are taken from the environment alone."""

    preset: Literal["", "gha", "registry", "local", "s3"] = Field(
        "", description="Where layers are kept: `gha`, `registry`, `local` or `s3`; empty: in the builder alone."
    )
    export: bool = Field(True, description="Whether a build writes there too; pull requests may be told only to read.")
    mode: Literal["max", "min"] = Field(
        "max", description="`max` keeps the steps of all stages, `min` those of the image alone."
    )
    branch: str = Field("main", description="The branch whose layers every other branch begins with.")
    folder: str = Field(".dockyard/layers", description="`local`: the folder, from the project's root.")
    ref: str = Field(
        "", pattern=CACHE_PART, description="`registry`: the repository, for instance `registry.corp/team/api-cache`."
    )
    bucket: str = Field("", pattern=CACHE_PART, description="`s3`: the bucket.")
    region: str = Field("", pattern=CACHE_PART, description="`s3`: its region.")
    endpoint: str = Field("", pattern=CACHE_PART, description="`s3`: the address of a service that is not Amazon's.")
    mounts_size: str = Field(
        "2g", pattern=SIZE, description="What the archive of cache mounts may hold, before it is compressed."
    )
