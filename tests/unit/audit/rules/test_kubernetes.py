from __future__ import annotations

import pytest

from dockyard.audit.facts.configured import is_ours
from dockyard.audit.facts.kubernetes_pods import pods
from dockyard.audit.read import TextFile
from dockyard.audit.rules.kubernetes import BeyondPodSecurity, DeployedByDigest, PodSecurity, Probes
from dockyard.audit.verdict import Kind, State

from .cases_kubernetes import DEPLOYMENT, SETTINGS, context, evidence, spec

ALL = (Probes, PodSecurity, BeyondPodSecurity, DeployedByDigest)


def told(rule, given):
    return [proof.text for proof in rule().check(given).of(Kind.BROKEN)]


@pytest.mark.parametrize("rule", ALL)
@pytest.mark.parametrize("text", ["", "---\n---\n", "kind: ConfigMap", "just text", "- 1", "kind: [Pod]"])
def test_no_pods(rule, text):
    """Manifests without a pod are not examined, whatever they hold, and never pass."""
    verdict = rule().check(evidence() | {"manifests": (TextFile(path="a.yaml", text=text),)})
    assert verdict.state is State.NOT_RUN


@pytest.mark.parametrize("rule", ALL)
@pytest.mark.parametrize("text", ["kind: Deployment\nspec: 7", "kind: Pod\nspec: {containers: {}}", "kind: Pod"])
def test_no_containers(rule, text):
    """A pod without a container is a mistake: what was meant to be examined stands elsewhere."""
    verdict = rule().check(evidence() | {"manifests": (TextFile(path="a.yaml", text=text),)})
    assert verdict.state is State.FAIL
    assert "has no container" in verdict.evidence


@pytest.mark.parametrize(
    "text", ["a: [", "\tx", "a: &a\n  b: *a\nkind: Pod\nspec: *c", "a: \x00", "[" * 2000], ids=range(5)
)
def test_no_yaml(text):
    """What is no YAML is said with its place, and is no crash."""
    verdict = PodSecurity().check({"manifests": (TextFile(path="a.yaml", text=text),)})
    assert verdict.state is State.FAIL
    assert verdict.proofs[0].place.file == "a.yaml"


def test_lines():
    """A proof names the line of the value, and of what is missing the line it should stand under."""
    proofs = PodSecurity().check(context("privileged: true")).of(Kind.BROKEN)
    assert DEPLOYMENT.splitlines()[proofs[0].place.line - 1].strip() in (
        "securityContext:",
        "readOnlyRootFilesystem: true",
    )
    assert proofs[0].place.subject == "spec.template.spec.containers[0].securityContext.privileged"


def test_every_container_is_visited():
    """Containers that begin first, and those of a debugger, are held to the same rules."""
    for kind in ("initContainers", "ephemeralContainers"):
        found = told(PodSecurity, spec(f"{kind}: [{{name: extra}}]"))
        assert {text.partition(": ")[0] for text in found} == {"Deployment/shop, container extra"}
        assert len(found) == 2


def test_every_kind_is_read():
    """Whatever makes a pod is read: also in a list, also of several documents."""
    pod = "{metadata: {name: p}, spec: {containers: [{name: c}]}}"
    text = "\n---\n".join(
        (
            "kind: Pod\nspec: {containers: [{name: c}]}",
            f"kind: CronJob\nspec: {{jobTemplate: {{spec: {{template: {pod}}}}}}}",
            f"kind: List\nitems: [{{kind: Job, spec: {{template: {pod}}}}}, {{kind: PodTemplate, template: {pod}}}]",
        )
    )
    found, problems = pods((TextFile(path="a.yaml", text=text),))
    assert [each.kind for each in found] == ["Pod", "CronJob", "Job", "PodTemplate"]
    assert [len(each.all_containers) for each in found] == [1, 1, 1, 1]
    assert problems == ()


def test_volume_of_no_kind():
    """A volume that says nothing else is an empty folder."""
    assert told(PodSecurity, evidence("emptyDir: {}", "emptyDir: null")) == []


def test_user_namespace():
    """In a user namespace root is nobody: the two checks of the user are left out, as Kubernetes does."""
    given = context("runAsUser: 0")
    (file,) = given["manifests"]
    relaxed = file.text.replace("      automountS", "      hostUsers: false\n      automountS")
    assert told(PodSecurity, {"manifests": (TextFile(path=file.path, text=relaxed),)}) == []


def test_windows():
    """A pod for Windows needs none of the fields that Windows has not."""
    text = (
        "kind: Pod\nspec:\n  os: {name: windows}\n  securityContext: {runAsNonRoot: true}\n  containers: [{name: a}]\n"
    )
    assert told(PodSecurity, {"manifests": (TextFile(path="a.yaml", text=text),)}) == []


def test_aliases_and_merges():
    """Anchors and merged tables are followed, and one that leads to itself has an end."""
    text = DEPLOYMENT.replace(
        "          securityContext:\n", "          securityContext:\n            <<: {privileged: true}\n"
    )
    assert told(PodSecurity, {"manifests": (TextFile(path="a.yaml", text=text),)}) == [
        "Deployment/shop, container shop: privileged is true"
    ]
    looped = "kind: Pod\nspec: &a\n  <<: *a\n  containers: &c [*c]\n"
    assert told(PodSecurity, {"manifests": (TextFile(path="a.yaml", text=looped),)})


def test_sidecars_are_not_the_service():
    """Probes are asked of the container with our image; a sidecar has its own."""
    (file,) = evidence()["manifests"]
    text = file.text.replace("      containers:\n", "      containers:\n        - {name: proxy, image: envoy}\n")
    assert told(Probes, evidence() | {"manifests": (TextFile(path="a.yaml", text=text),)}) == []


@pytest.mark.parametrize(
    ("reference", "ours"),
    [
        ("shop", True),
        ("shop:1", True),
        ("registry:5000/team/shop:1@sha256:aa", True),
        ("workshop", False),
        ("shop/other", False),
        ("", False),
    ],
)
def test_is_ours(reference, ours):
    """Our image is ours in whatever registry, with whatever tag."""
    assert is_ours(reference, SETTINGS) is ours


def test_default_grace():
    """A pod that says nothing gets the thirty seconds of Kubernetes."""
    (file,) = evidence()["manifests"]
    text = file.text.replace("terminationGracePeriodSeconds: 30", "other: 1")
    verdict = DeployedByDigest().check(evidence() | {"manifests": (TextFile(path="a.yaml", text=text),)})
    assert verdict.state is State.PASS
    assert "terminationGracePeriodSeconds is 30" in verdict.evidence
