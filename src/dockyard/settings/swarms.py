"""The table of what only Swarm asks: how the service is reached there, and where its tasks may run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from dockyard.settings.fields import Port, Section, Words


class Swarm(Section):
    """What `invoke deploy --to swarm` needs to know beyond [tool.dockyard.deploy]."""

    publish: Port = Field(
        0,
        description="Port that is published on every address of the nodes; 0 publishes none, and only the networks of "
        "the service reach it.",
    )
    publish_mode: Literal["ingress", "host"] = Field(
        "ingress",
        description="Which nodes answer there: all, through Swarm's load balancer, or those that run a task.",
    )
    endpoint_mode: Literal["vip", "dnsrr"] = Field(
        "vip",
        validate_default=True,
        description="What the service's name leads to in its networks: one virtual IP, or the address of each task.",
    )
    networks: Words = Field(
        (), description="Overlay networks that exist and that the service joins too, for instance a reverse proxy's."
    )
    constraints: Words = Field((), description="Where tasks may run, for instance `node.role==worker`.")
    health: Words = Field(
        (), description="Command that tells whether the service is well. Default: the image's HEALTHCHECK."
    )
    advertise: str = Field(
        "", description="Address that `--init` tells other nodes. Default: Docker's choice, if there is one only."
    )

    @field_validator("endpoint_mode")
    @classmethod
    def _balanced(cls, value: str, info: ValidationInfo) -> str:
        """Refuse what Swarm refuses: its load balancer leads to virtual IPs."""
        if value == "dnsrr" and info.data.get("publish") and info.data.get("publish_mode") == "ingress":
            raise ValueError('"dnsrr" cannot be published with `publish_mode` "ingress": take "vip", or "host"')
        return value
