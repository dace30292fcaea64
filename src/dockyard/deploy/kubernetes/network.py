"""Who may call the pods, and whom they may call; all else is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.deploy.kubernetes.objects import Object, metadata, selector
from dockyard.settings.peers import Peer, peer

if TYPE_CHECKING:
    from dockyard.deploy.workload import Workload

COMMENT = "What is not listed is refused. The kubelet's probes get through whatever is listed."
DNS = 53


def policy(workload: Workload) -> Object:
    """Return the NetworkPolicy."""
    wanted = workload.wanted
    callers = [peer(each) for each in wanted.ingress]
    called = [peer(each) for each in wanted.egress]
    own_port = [{"protocol": "TCP", "port": workload.container.container_port}]
    dns = [{"protocol": protocol, "port": DNS} for protocol in ("UDP", "TCP")]
    egress = [{"to": _named([peer(each) for each in wanted.dns]), "ports": dns}] if wanted.dns else []
    egress += [_rule("to", [each], [{"protocol": "TCP", "port": each.port}] if each.port else []) for each in called]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(workload),
        "spec": {
            "podSelector": {"matchLabels": selector(workload)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [_rule("from", callers, own_port)] if callers else [],
            "egress": egress,
        },
    }


def _rule(direction: str, peers: list[Peer], ports: list[Object]) -> Object:
    named = [] if any(each.everybody for each in peers) else _named(peers)
    return {**({direction: named} if named else {}), **({"ports": ports} if ports else {})}


def _named(peers: list[Peer]) -> list[Object]:
    """Return peers as a policy has them; pods and their namespace are one entry, or they would be two peers."""
    found = []
    for each in peers:
        entry: Object = {"ipBlock": {"cidr": each.cidr}} if each.cidr else {}
        if each.namespace:
            entry["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": each.namespace}}
        if each.label:
            entry["podSelector"] = {"matchLabels": dict([each.label])}
        found.append(entry)
    return found
