"""Kubernetes manifests -> the pods that they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import is_ours
from dockyard.audit.facts.yaml_files import Node, documents
from dockyard.audit.verdict import broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.read import TextFile
    from dockyard.audit.verdict import Proof
    from dockyard.settings import Settings

# Kind to the way to its pod; of a Pod itself there is none to go.
TEMPLATE = ("spec", "template")
TEMPLATES: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "Deployment": TEMPLATE,
    "StatefulSet": TEMPLATE,
    "DaemonSet": TEMPLATE,
    "ReplicaSet": TEMPLATE,
    "ReplicationController": TEMPLATE,
    "Job": TEMPLATE,
    "CronJob": ("spec", "jobTemplate", *TEMPLATE),
}
# Those whose containers run for a while and end.
ENDING = ("Job", "CronJob")
# Lists in lists have an end in good manifests.
NESTED = 4


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod, or the template of one.

    Attributes:
        name: Kind and name of what makes it, for instance `Deployment/shop`.
    """

    name: str
    kind: str
    metadata: Node
    spec: Node

    @property
    def containers(self) -> tuple[Node, ...]:
        """The containers that stay, without those that only begin or that a debugger adds."""
        return tuple(self.spec.get("containers").each())

    @property
    def all_containers(self) -> tuple[Node, ...]:
        """Every container, in the order in which Pod Security visits them."""
        lists = ("initContainers", "containers", "ephemeralContainers")
        return tuple(each for name in lists for each in self.spec.get(name).each())

    @property
    def windows(self) -> bool:
        """Whether it says that it is for Windows, where some fields do not exist."""
        return self.spec.get("os", "name").text == "windows"

    @property
    def own_users(self) -> bool:
        """Whether it is in a user namespace: its root is nobody on the host."""
        return self.spec.get("hostUsers").value is False

    def called(self, container: Node) -> str:
        """Return how a container is named to people."""
        return f"{self.name}, container {container.get('name').text or container.path}"


def pods(manifests: tuple[TextFile, ...]) -> tuple[tuple[Pod, ...], tuple[Proof, ...]]:
    """Return every pod of the manifests, and broken proofs for files and pods in which there is nothing to examine."""
    found: list[Pod] = []
    problems: list[Proof] = []
    for file in manifests:
        read, unread = documents(file)
        problems += unread
        for document in read:
            found += _pods(document, NESTED)
    problems += [broken(f"{pod.name} has no container", pod.spec.place) for pod in found if not pod.all_containers]
    return tuple(pod for pod in found if pod.all_containers), tuple(problems)


def _pods(document: Node, depth: int) -> Iterator[Pod]:
    kind = document.get("kind").text
    if kind == "List" and depth:
        for each in document.get("items").each():
            yield from _pods(each, depth - 1)
    elif kind in TEMPLATES:
        at = document.get(*TEMPLATES[kind])
        name = f"{kind}/{document.get('metadata', 'name').text or '?'}"
        yield Pod(name=name, kind=kind, metadata=at.get("metadata"), spec=at.get("spec"))


def serving(found: tuple[Pod, ...], settings: Settings) -> tuple[tuple[Pod, Node], ...]:
    """Return the containers that run the service: those with our image, whatever its registry.

    If none has it, a name may be filled in later: then every container that is meant to stay.
    """
    staying = [(pod, each) for pod in found if pod.kind not in ENDING for each in pod.containers]
    ours = [(pod, each) for pod, each in staying if is_ours(each.get("image").text, settings)]
    return tuple(ours or staying)
