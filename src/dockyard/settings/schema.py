"""Every key of [tool.dockyard], its type, its default and what it is for: the one list that all else derives from."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic needs it at run time
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from dockyard.errors import SettingsError
from dockyard.settings.audits import Audit, Size
from dockyard.settings.bundles import Bundle
from dockyard.settings.caches import Cache
from dockyard.settings.deploys import Deploy
from dockyard.settings.fields import (
    CONTAINER,
    NAME,
    RESTART,
    SIGNAL,
    SIZE,
    TAG,
    USER,
    Port,
    PythonVersion,
    Section,
    Table,
    Words,
    refuse_secrets,
    split,
)
from dockyard.settings.logs import Logs
from dockyard.settings.pins import Pin
from dockyard.settings.pushes import Push, Sign
from dockyard.settings.sboms import Sbom


class Build(Section):
    """How the image is built."""

    dockerfile: str = Field("Dockerfile", description="The Dockerfile, from the project's root.")
    context: str = Field(".", description="The folder that is sent to BuildKit.")
    base: str = Field(
        "python:{python}-{line}",
        description="The base image, given to the Dockerfile as `BASE_IMAGE`; `{python}` is the Python version.",
    )
    line: Literal["slim-bookworm", "slim-trixie"] = Field(
        "slim-bookworm", description="Debian line of the base: `slim-bookworm` (12) or `slim-trixie` (13)."
    )
    target: str = Field("", description="The stage to build; empty is the last one.")
    platforms: Words = Field((), description="Platforms, for instance `linux/arm64`; empty is the engine's.")
    builder: str = Field("", description="The buildx builder; empty is the current one.")
    args: Table = Field({}, description="Build arguments. Names that sound like secrets are refused.")
    labels: Table = Field({}, description="Labels on top of the OCI ones.")
    provenance: Literal["off", "min", "max"] = Field(
        "off",
        description="What BuildKit attests of the build, with the image: nothing, what it was made of, or how too.",
    )
    secrets_rebuild: bool = Field(
        False,
        description="Whether a secret with another value runs the steps that mount it again; BuildKit alone does not.",
    )

    _no_secrets = field_validator("args", "labels")(refuse_secrets)

    @field_validator("base")
    @classmethod
    def _has_known_placeholders(cls, value: str) -> str:
        """Refuse a placeholder that nothing fills."""
        rest = value.replace("{python}", "").replace("{line}", "")
        if "{" in rest or "}" in rest:
            raise ValueError("knows two placeholders: {python} and {line}")
        return value

    @property
    def pattern(self) -> str:
        """The base image with its line, in which `{python}` is left."""
        return self.base.replace("{line}", self.line)


class Network(Section):
    """What builds need on a corporate network; it reaches them as secret mounts and leaves no trace in the image."""

    ca_bundle: Path | None = Field(
        None,
        description="CA certificates (PEM). Default: what `SSL_CERT_FILE`, `PIP_CERT`, `REQUESTS_CA_BUNDLE`, "
        "`CURL_CA_BUNDLE` or pip's configuration names.",
    )
    index_url: SecretStr | None = Field(
        None,
        description="Package index, credentials allowed. Best given as `DOCKYARD_NETWORK_INDEX_URL`. "
        "Default: `UV_DEFAULT_INDEX`, `UV_INDEX_URL`, `PIP_INDEX_URL` or pip's configuration.",
    )
    proxy: SecretStr | None = Field(
        None,
        description="Forward proxy of the steps, credentials allowed. Best given as `DOCKYARD_NETWORK_PROXY`. "
        "Default: `HTTPS_PROXY`, `HTTP_PROXY`, in either case, or pip's configuration.",
    )
    no_proxy: str = Field("", description="Hosts that are reached without it, by commas. Default: `NO_PROXY`.")
    mirror: str = Field("", description="Registry mirror to pull base images from, for instance `registry.corp/hub`.")
    archives: Path | None = Field(
        None, description="Folder of saved base images (`*.tar`), loaded when nothing else is."
    )


class Run(Section):
    """The production container."""

    name: str = Field("api-prod", pattern=CONTAINER, description="Name of the container.")
    address: str = Field("127.0.0.1", description="Host address that is published; `0.0.0.0` opens every interface.")
    port: Port = Field(8000, description="Host port; 0 takes a free one, which a replacement keeps.")
    container_port: int = Field(8000, ge=1, le=65535, description="Port the service listens on; given to it as `PORT`.")
    gateway: bool = Field(
        False,
        description="Whether a gateway has the port, so that a replacement loses no request.",
    )
    network: str = Field("", description="Network of the project's containers, made if missing; empty: `image`'s name.")
    logs: str = Field("logs", description="Host folder of the logs, from the project's root.")
    logs_target: str = Field("/app/logs", description="Where the logs folder is mounted.")
    user: str = Field("1000:1000", pattern=USER, description="UID and GID, in digits as Kubernetes wants them.")
    env: Table = Field({}, description="Variables of the container. Names that sound like secrets are refused.")
    memory: str = Field("512m", pattern=SIZE, description="Memory limit; swap is not added to it.")
    cpus: float = Field(1.0, gt=0, allow_inf_nan=False, description="CPU limit.")
    pids: int = Field(128, gt=0, description="Limit of processes and threads.")
    restart: str = Field("on-failure:5", pattern=RESTART, description="Restart policy.")
    log_size: str = Field("10m", pattern=SIZE, description="Size at which the engine rotates the container's log.")
    log_files: int = Field(3, gt=0, description="How many rotated files the engine keeps.")
    wait: float = Field(60, gt=0, allow_inf_nan=False, description="Seconds to become healthy.")
    stop_timeout: int = Field(10, gt=0, description="Seconds between SIGTERM and SIGKILL.")
    watch: float = Field(
        30, ge=0, allow_inf_nan=False, description="Seconds a new container is watched after it took over; 0 is none."
    )
    keep_releases: int = Field(5, gt=0, description="How many releases, with their images, are kept to go back to.")
    key_length: int = Field(32, gt=0, description="Fewest characters of an API key.")
    key_wait: float = Field(
        10,
        gt=0,
        allow_inf_nan=False,
        description="Seconds in which the service must go by a key file that has changed.",
    )
    key_signal: str = Field(
        "", pattern=SIGNAL, description="Sent once the key file has changed: `HUP`, `USR1`, `USR2`; empty sends none."
    )

    _no_secrets = field_validator("env")(refuse_secrets)


class Dev(Section):
    """The development container, `invoke run` without `--prod`: source mounted, reload, a development key."""

    name: str = Field("api-dev", pattern=CONTAINER, description="Name of the container.")
    port: Port = Field(8001, description="Host port; 0 takes a free one.")
    mounts: Table = Field(
        {}, description="Folders of the project, and where they are mounted (read-only) over those of the image."
    )
    command: Words = Field((), description="The command that serves with reload; empty is the image's own.")
    env: Table = Field({}, description="Variables on top of those of `run`.")
    key: SecretStr = Field(
        SecretStr("development-key-not-for-production"), description="The key of the development container. Public."
    )

    _no_secrets = field_validator("env")(refuse_secrets)


class Smoke(Section):
    """What `invoke smoke` asks of the service."""

    health: str = Field("/health", description="Route that answers 200 while the process lives.")
    ready: str = Field("/ready", description="Route that answers 200 once the model serves.")
    predict: str = Field(
        "/predict", description="Keyed route that is asked for golden predictions; empty if the service has none."
    )
    key_header: str = Field("X-API-Key", description="Header that carries the key.")
    golden: str = Field("", description="JSON file of golden predictions, from the project's root; empty asks none.")
    tolerance: float = Field(1e-4, ge=0, description="Relative difference that a golden number may show.")
    log_fields: Words = Field(
        ("ts", "level", "event"),
        description="Fields that each JSON log line must have; `[]` admits lines of any form.",
    )

    @property
    def keyed_route(self) -> str:
        """The keyed route.

        Raises:
            SettingsError: The service has none.
        """
        if not self.predict:
            raise SettingsError(
                "This service has no route that takes a key.",
                "`predict` is empty in [tool.dockyard.smoke].",
                "Set it to such a route if there is one.",
            )
        return self.predict


class Settings(Section):
    """All of [tool.dockyard]."""

    root: Path = Field(exclude=True)
    image: str = Field(pattern=NAME, description="Name of the image. Default: the project's name.")
    tag: str = Field("prod", pattern=TAG, description="Tag of the default Python's image.")
    version: str = Field(pattern=TAG, description="Version in tags and labels. Default: the project's version.")
    python: PythonVersion = Field("3.12", description="Python of the image.")
    pythons: Annotated[tuple[PythonVersion, ...], BeforeValidator(split)] = Field(
        ("3.12",), description="Pythons of the smoke matrix."
    )
    build: Build = Build()
    cache: Cache = Cache()
    network: Network = Network()
    run: Run = Run()
    dev: Dev = Dev()
    smoke: Smoke = Smoke()
    logs: Logs = Logs()
    audit: Audit = Audit()
    size: Size = Size()
    sbom: Sbom = Sbom()
    pin: Pin = Pin()
    push: Push = Push()
    sign: Sign = Sign()
    bundle: Bundle = Bundle()
    deploy: Deploy = Deploy()

    @property
    def state(self) -> Path:
        """The folder of records, beside pyproject.toml."""
        return self.root / ".dockyard"

    @property
    def reference(self) -> str:
        """The image that `run` starts, for instance `house-pricing-api:prod`."""
        return f"{self.image}:{self.tag}"

    @property
    def matrix_reference(self) -> str:
        """This Python's image in the matrix, for instance `house-pricing-api:0.1.0-py3.12`."""
        return f"{self.image}:{self.version}-py{self.python}"
