"""The tables that an image is held against: those of `invoke audit` and `invoke size`."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - pydantic needs it at run time
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dockyard.settings.fields import OPTIONAL_SIZE, SIZE, Section, Words, refuse_text

BudgetTable = Annotated[dict[str, Annotated[str, Field(pattern=SIZE)]], BeforeValidator(refuse_text)]


class Waiver(Section):
    """A failure that somebody answers for until a day."""

    reason: str = Field(min_length=10)
    expires: date


class Audit(Section):
    """What `invoke audit` holds the image against."""

    fail_on: Literal["low", "medium", "high", "critical"] = Field(
        "high", description="Least severity of a failed rule that ends `invoke audit` with exit code 5."
    )
    registries: Words = Field(
        ("docker.io/library", "dockyard.local"), description="Where base images may come from, as prefixes of names."
    )
    public: Words = Field(
        ("/", "/health", "/ready", "/metrics", "/version"), description="Routes that need no key; every other must."
    )
    openapi: str = Field("/openapi.json", description="Route of the OpenAPI document, read from a development start.")
    writable: Words = Field((), description="Folders of the image that the service may write, beside the logs.")
    setuid: Words = Field((), description="Files of the image that may be setuid or setgid.")
    shells: Literal["slim", "distroless"] = Field(
        "slim", description="`slim` lists shells and package managers in the image, `distroless` forbids them."
    )
    support: Literal["regular", "lts"] = Field(
        "lts", description="Support window that the image's Debian must be inside of."
    )
    max_size: str = Field("600m", pattern=SIZE, description="Most bytes of the unpacked image.")
    max_layers: int = Field(40, gt=0, description="Most layers.")
    max_waste: str = Field("20m", pattern=SIZE, description="Most bytes that later layers overwrite or delete.")
    lock: str = Field("", description="Hashed requirements of the image, from the project's root.")
    sources: str = Field("", description="Folder of the service's Python sources, from the project's root.")
    contract: str = Field(
        "", description="Settings class of the service, as `file.py:Class` below `sources`; its fields are variables."
    )
    contract_except: Words = Field(
        (), description="Variables of the image or of the settings class that the other need not have."
    )
    models: Words = Field((), description="Model files in the image, as glob patterns; pickles are refused.")
    model_env: str = Field("", description="Variable that names the model file; audited starts hide the model with it.")
    registry_env: str = Field("", description="Variable that names the model registry, for instance an MLflow server.")
    rate_env: str = Field("", description="Variable that limits requests a minute; an audited start sets it low.")
    manifests: Words = Field((), description="Kubernetes manifests, as glob patterns from the project's root.")
    stack: str = Field("", description="Swarm stack, from the project's root.")
    sbom: str = Field("", description="SBOM of the image, from the project's root.")
    workflows: str = Field(".github/workflows", description="Folder of GitHub workflows, from the project's root.")
    fix_days: int = Field(30, ge=0, description="Days that a fixable high vulnerability may stay.")
    scan_days: int = Field(7, ge=0, description="Most days since the database of an imported scan was made.")
    waivers: Annotated[dict[str, Waiver], BeforeValidator(refuse_text)] = Field(
        {}, description="Rule id to `reason` and `expires`: a failure that somebody answers for until that day."
    )


class Size(Section):
    """Budgets of `invoke size`; an empty one is none."""

    total: str = Field("", pattern=OPTIONAL_SIZE, description="Most bytes of the unpacked image.")
    over_base: str = Field("", pattern=OPTIONAL_SIZE, description="Most bytes on top of the base image.")
    layer: str = Field("", pattern=OPTIONAL_SIZE, description="Most bytes of any one layer on top of the base.")
    wasted: str = Field("", pattern=OPTIONAL_SIZE, description="Most bytes overwritten, deleted later or kept twice.")
    distributions: BudgetTable = Field({}, description="Most bytes of a Python distribution, by its name.")
