"""The tables of what is deployed, and where: those of `invoke deploy`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from dockyard.settings.fields import (
    DNS_LABEL,
    ENTRY,
    IMAGE,
    OPTIONAL_DNS_LABEL,
    OPTIONAL_SIZE,
    SIZE,
    Section,
    Words,
    refuse_text,
)
from dockyard.settings.peers import peer
from dockyard.settings.swarms import Swarm

Count = Annotated[int, Field(gt=0)]
Cpus = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Overlay(Section):
    """Where one environment differs; what it does not say is as in [tool.dockyard.deploy]."""

    namespace: str = Field("", pattern=OPTIONAL_DNS_LABEL)
    replicas: Count | None = None
    max_replicas: Count | None = None
    memory: str = Field("", pattern=OPTIONAL_SIZE)
    cpus: Cpus | None = None
    memory_request: str = Field("", pattern=OPTIONAL_SIZE)
    cpus_request: Cpus | None = None


STANDARD = {"staging": Overlay(replicas=1, max_replicas=2), "production": Overlay()}


class Deploy(Section):
    """What `invoke deploy` writes and brings to a cluster or a host."""

    folder: str = Field("deploy", description="Where the files are written, from the project's root.")
    image: str = Field(
        "",
        pattern=IMAGE,
        description="The image in its registry, for instance `registry.corp/team/api`, or with its `@sha256:…`. "
        "Empty: `image`'s name.",
    )
    verify: bool = Field(
        False, description="Whether only an image is deployed whose signature is what [tool.dockyard.sign] wants."
    )
    name: str = Field(
        "", pattern=OPTIONAL_DNS_LABEL, description="Name of all that is made. Default: the last part of `image`."
    )
    memory: str = Field("", pattern=OPTIONAL_SIZE, description="Memory limit. Default: that of `run`.")
    cpus: Cpus | None = Field(None, description="CPU limit. Default: that of `run`.")
    memory_request: str = Field(
        "", pattern=OPTIONAL_SIZE, description="Memory that is reserved. Default: the limit, so that it is never lent."
    )
    cpus_request: Cpus | None = Field(None, description="CPUs that are reserved. Default: the limit.")
    secret: str = Field(
        "",
        pattern=OPTIONAL_DNS_LABEL,
        description="The cluster's secret that holds the API key; in a swarm a number follows. Default: `NAME-key`.",
    )
    secret_key: str = Field("api_key", pattern=ENTRY, description="Its entry in that secret.")
    secret_file: str = Field(
        "", description="File on the host that holds the API key, for Compose. Default: `/etc/NAME/api_key`."
    )
    namespace: str = Field("", pattern=OPTIONAL_DNS_LABEL, description="Kubernetes namespace. Default: the name.")
    context: str = Field("", description="kubectl's context for `--apply`. Default: its current one.")
    pull_secret: str = Field("", pattern=OPTIONAL_DNS_LABEL, description="Secret with the registry's password, if any.")
    port: int = Field(80, ge=1, le=65535, description="Port of the Service inside the cluster.")
    replicas: Count = Field(2, description="Fewest pods; in a swarm how many tasks there are.")
    max_replicas: Count = Field(6, validate_default=True, description="Most pods; between the two the CPU decides.")
    cpu_target: int = Field(
        70, gt=0, le=100, description="Use of the reserved CPU, in percent, above which pods are added."
    )
    ingress: Words = Field((), description="Who may call the service; empty is nobody. See docs/deploy.md.")
    egress: Words = Field((), description="Whom the service may call; empty is nobody.")
    dns: Words = Field(
        ("namespace/kube-system/k8s-app=kube-dns",), description="Who answers its DNS questions, on port 53."
    )
    logs: Literal["emptyDir", "pvc"] = Field(
        "emptyDir", description="Where logs are kept: for the life of the pod, or in a claimed volume."
    )
    logs_size: str = Field("1g", pattern=SIZE, description="Size of either.")
    logs_class: str = Field("", description="Storage class of the claim; empty is the cluster's.")
    logs_access: Literal["ReadWriteMany", "ReadWriteOnce"] = Field(
        "ReadWriteMany", description="Access mode of the claim: pods of several nodes need ReadWriteMany."
    )
    pre_stop: int = Field(
        5, ge=0, description="Seconds between a pod's end being decided and SIGTERM: by then no request is sent to it."
    )
    settle: int = Field(
        10,
        ge=0,
        description="Seconds that a new pod must have been ready before it counts; in a swarm it is watched for.",
    )
    wait: int = Field(300, gt=0, validate_default=True, description="Seconds in which a rollout must be complete.")
    spread: Words = Field(
        ("topology.kubernetes.io/zone", "kubernetes.io/hostname"),
        description="What pods are spread over, if it can be.",
    )
    overlays: Annotated[dict[Annotated[str, Field(pattern=DNS_LABEL)], Overlay], BeforeValidator(refuse_text)] = Field(
        {},
        description="Environments, each with its own `namespace`, `replicas`, `max_replicas`, `memory`, `cpus`, "
        "`memory_request` or `cpus_request`. Default: `staging` with 1 to 2 pods, and `production`.",
    )
    swarm: Swarm = Swarm()

    @property
    def environments(self) -> dict[str, Overlay]:
        """The overlays that are written, by name."""
        return dict(sorted((self.overlays or STANDARD).items()))

    @field_validator("ingress", "egress", "dns")
    @classmethod
    def _peers(cls, values: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse what names nobody; who calls, calls the service's own port."""
        for each in values:
            if peer(each).port and info.field_name != "egress":
                raise ValueError(f"{each!r} has a port, which is known here")
        return values

    @field_validator("max_replicas")
    @classmethod
    def _no_fewer(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("replicas", 1):
            raise ValueError("must not be below `replicas`")
        return value

    @field_validator("wait")
    @classmethod
    def _longer(cls, value: int, info: ValidationInfo) -> int:
        if value <= info.data.get("settle", 0):
            raise ValueError("must be above `settle`")
        return value

    @field_validator("overlays")
    @classmethod
    def _whole(cls, values: dict[str, Overlay], info: ValidationInfo) -> dict[str, Overlay]:
        for name, each in values.items():
            fewest = each.replicas or info.data.get("replicas", 1)
            if fewest > (each.max_replicas or info.data.get("max_replicas", fewest)):
                raise ValueError(f"{name}: `replicas` is above `max_replicas`")
        return values
