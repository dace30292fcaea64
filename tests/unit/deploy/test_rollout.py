"""A release is brought to a cluster by a kubectl that plays recorded answers: no cluster is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.deploy import rollout, workload_of
from dockyard.deploy.kubectl import Kubectl, current_context
from dockyard.engines import process
from dockyard.errors import DeployError, EngineError, Interrupted
from support import sentences

from .conftest import IMAGE

DENIED = 'Error from server (Forbidden): deployments.apps "tiny-service" is forbidden\n'
CONFLICT = """error: Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.template.spec.containers
Please review the fields above--they currently have other managers.
"""
BROKEN = {
    "metadata": {"name": "tiny-service-7c-abc"},
    "status": {
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [
            {
                "name": "tiny-service",
                "ready": False,
                "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed"}},
                "lastState": {"terminated": {"reason": "Error", "exitCode": 2}},
            }
        ],
    },
}
GOOD = {"metadata": {"name": "tiny-service-6b-xyz"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
PENDING = {
    "metadata": {"name": "tiny-service-7c-new"},
    "status": {
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "0/3 nodes: no cpu",
            }
        ]
    },
}
SILENT = {
    "metadata": {"name": "tiny-service-7c-sil"},
    "status": {"containerStatuses": [{"ready": False, "restartCount": 0, "state": {"running": {}}}]},
}
EVENT = {"reason": "Unhealthy", "message": "Startup probe failed: connection refused"}


def deployment(revision):
    return {"metadata": {"name": "tiny-service", "annotations": {rollout.REVISION: revision}}}


@pytest.fixture
def cluster(player):
    """A cluster with the key, which serves revision 4, and takes what it is given."""
    player.lay("get secret", output="api_key ")
    player.lay("get deployment", output=deployment("4"))
    player.lay("rollout status", output="deployment successfully rolled out\n")
    return player


@pytest.fixture
def apply(settings_of):
    """Apply a release; return what came of it, and what was announced."""

    def apply(**changed):
        said = []
        workload = workload_of(settings_of(**changed), IMAGE)
        kubectl = Kubectl(context="bank", namespace="ns")
        return rollout.apply(workload, Path("base"), kubectl, announce=said.append), said

    return apply


@pytest.fixture
def refused(apply):
    """Apply a release that cannot be applied; return the sentences."""

    def refused(kind=DeployError, **changed):
        with pytest.raises(kind) as caught:
            apply(**changed)
        return sentences(caught.value)

    return refused


def fails(cluster, *pods, now="5"):
    """Let the rollout fail: the Deployment is at another revision then, and these pods are there."""
    cluster.lay("rollout status", error="error: deployment exceeded its progress deadline\n", code=1, once=True)
    cluster.lay("get deployment", output=deployment(now))
    cluster.lay("get deployment", output=deployment("4"), once=True)
    cluster.lay("get pods", output={"items": [GOOD, *pods]})
    cluster.lay("get events", output={"items": [EVENT]})
    cluster.lay("logs", "--previous", output="model.onnx is missing\n")
    cluster.lay("logs", output="starting\n")
    cluster.lay("logs", "--previous", output="model.onnx is missing\n")


def test_applied(cluster, apply):
    """The server is asked first, then told, then waited for: always with context and namespace, never with a secret."""
    done, said = apply(deploy__wait=90)

    assert (done.name, done.image, done.where) == ("tiny-service", IMAGE, "namespace ns, context bank")
    common = "kubectl --context bank --namespace ns"
    server = "apply --server-side --field-manager=dockyard --kustomize=base"
    names = "{{range $name, $value := .data}}{{$name}} {{end}}"
    assert cluster.calls == [
        f"{common} get secret tiny-service-key --output=go-template={names}",
        f"{common} get deployment tiny-service --ignore-not-found --output=json",
        f"{common} {server} --dry-run=server",
        f"{common} {server}",
        f"{common} rollout status deployment/tiny-service --timeout=90s",
    ]
    assert [step.split(",")[0] for step in said] == [
        "asking the server whether it takes it (dry run)",
        "applying",
        "waiting until the pods are ready",
    ]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            {"error": 'Error from server (NotFound): secrets "tiny-service-key" not found\n', "code": 1},
            "no secret t",
        ),
        ({"output": "other "}, "no entry api_key in the secret"),
        ({"output": ""}, "no entry api_key in the secret"),
    ],
)
def test_no_key(cluster, refused, answer, why):
    """Without the key nothing is applied, and it is said how to make it; its value is never asked for."""
    cluster.lay("get secret", **answer)
    what, told, todo = refused()

    assert "nothing was applied" in what
    assert why in told
    assert "`kubectl create secret generic tiny-service-key --namespace ns --from-file=api_key=FILE`" in todo
    assert not any("apply" in call for call in cluster.calls)


def test_refused(cluster, refused):
    """What the server would refuse is not applied, and its own words are told."""
    cluster.lay("--dry-run", error=DENIED, code=1)
    what, why, _ = refused()

    assert "would refuse it, so nothing was applied" in what
    assert why == DENIED.strip()
    assert [call for call in cluster.calls if "apply" in call and "--dry-run" not in call] == []


def test_conflict(cluster, apply):
    """Fields that others set, as a rollback does, are taken over, and it is said which."""
    cluster.lay("--dry-run", error=CONFLICT, code=1, once=True)
    _, said = apply()

    assert any('conflict with "kubectl" using apps/v1: .spec.template' in step for step in said)
    applied = [call for call in cluster.calls if " apply " in call]
    assert ["--force-conflicts" in call for call in applied] == [False, True, True]
    assert ["--dry-run" in call for call in applied] == [True, True, False]


def test_half_applied(cluster, refused):
    """What the server refuses half way is told in its words."""
    cluster.lay("--server-side", error=DENIED, code=1)
    cluster.lay("--dry-run", output="ok")
    what, why, _ = refused()

    assert "a part at most" in what
    assert why == DENIED.strip()


def test_taken_back(cluster, refused):
    """Pods that do not become ready are taken back to the revision before, and it is said why they did not."""
    fails(cluster, BROKEN)
    what, why, todo = refused()

    assert what == "tiny-service did not become ready and was taken back."
    assert why.splitlines() == [
        "error: deployment exceeded its progress deadline",
        "tiny-service-7c-abc: CrashLoopBackOff: back-off 40s restarting failed",
        "tiny-service-7c-abc: ended with exit code 2, Error; 3 restarts",
        "Its last lines, before it was restarted:",
        "  model.onnx is missing",
        "Event: Unhealthy: Startup probe failed: connection refused",
    ]
    assert todo.startswith("Revision 4 serves again.")
    assert [call.partition("ns ")[2] for call in cluster.calls][-2:] == [
        "rollout undo deployment/tiny-service --to-revision=4",
        "rollout status deployment/tiny-service --timeout=300s",
    ]


@pytest.mark.parametrize(
    ("pod", "line"),
    [
        (PENDING, "tiny-service-7c-new: Unschedulable: 0/3 nodes: no cpu"),
        (SILENT, "tiny-service-7c-sil: runs, but does not answer that it is ready"),
    ],
)
def test_other_reasons(cluster, refused, pod, line):
    """A pod that finds no node, and one that does not answer, are told apart; the log is the one it has."""
    fails(cluster, pod)
    _, why, _ = refused()

    assert line in why.splitlines()
    assert "  starting" in why.splitlines()
    assert not any("--previous" in call for call in cluster.calls)


def test_no_pods(cluster, refused):
    """Where no pod was made, a person is told where to look."""
    fails(cluster)
    assert "No pod is there that is not ready" in refused()[1]


def test_first_release(cluster, refused):
    """A first release that fails has nothing to go back to, and is left to be looked at."""
    fails(cluster, BROKEN)
    cluster.lay("get deployment", output="", once=True)
    what, _, todo = refused()

    assert what.endswith("there was nothing to go back to.")
    assert "describe deployment tiny-service" in todo
    assert not any("undo" in call for call in cluster.calls)


def test_same_pods(cluster, refused):
    """Where the pods are those of before, an undo would bring back what served before them: it is not made."""
    fails(cluster, BROKEN, now="4")
    assert "same as before" in refused()[0]
    assert not any("undo" in call for call in cluster.calls)


def test_not_taken_back(cluster, refused):
    """An undo that the server refuses is told."""
    fails(cluster, BROKEN)
    cluster.lay("rollout undo", error=DENIED, code=1)
    what, why, _ = refused()

    assert "could not be taken back" in what
    assert DENIED.strip() in why


def test_back_and_not_ready(cluster, refused):
    """What is back and does not serve either is not called good."""
    fails(cluster, BROKEN)
    cluster.lay("rollout status", error="error: timed out\n", code=1)
    assert "Revision 4 is back, but: error: timed out" in refused()[2]


def test_cluster_gone(cluster, refused):
    """A cluster that goes away while it is asked for reasons is told as that, and that nothing was taken back."""
    fails(cluster, BROKEN)
    cluster.lay("get pods", error="Unable to connect to the server: EOF\n", code=1)
    what, why, _ = refused()

    assert "nothing was taken back" in what
    assert "Unable to connect to the server: EOF" in why


@pytest.mark.parametrize("words", ["get secret", "get deployment"])
def test_no_access(cluster, refused, words):
    """A cluster that refuses to tell what is there ends it before anything is applied."""
    cluster.lay(words, error=DENIED, code=1)
    _, why, todo = refused(EngineError)

    assert why == DENIED.strip()
    assert "auth can-i" in todo
    assert not any(" apply " in call for call in cluster.calls)


def test_interrupted(cluster, refused, monkeypatch):
    """Ctrl-C while it is waited for does not say that nothing was changed: the rollout goes on."""

    def pressed(command, **options):
        if "status" in command:
            raise KeyboardInterrupt
        return real(command, **options)

    real = process.run
    monkeypatch.setattr(process, "run", pressed)
    _, why, todo = refused(Interrupted)

    assert "goes on in the cluster" in why
    assert "rollout undo deployment/tiny-service" in todo


def test_context(player):
    """The own context of kubectl is taken where none is said."""
    player.lay("config current-context", output="bank\n")
    assert current_context() == "bank"


def test_no_context(player):
    """Without a context nothing is applied to whatever kubectl would guess."""
    player.lay("config current-context", error="error: current-context is not set\n", code=1)
    with pytest.raises(EngineError) as caught:
        current_context()
    assert sentences(caught.value)[1] == "error: current-context is not set"


@pytest.mark.parametrize("ask", [current_context, Kubectl(context="a", namespace="b").call])
def test_no_kubectl(tmp_path, monkeypatch, ask):
    """Without kubectl that is what is said."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError) as caught:
        ask()
    assert "There is no kubectl here" in sentences(caught.value)[0]
