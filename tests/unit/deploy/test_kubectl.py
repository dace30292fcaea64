"""The real kubectl, on a stand-in for a cluster: it takes our command lines, and its answers are understood."""

from __future__ import annotations

import shutil

import pytest
import yaml

from dockyard.deploy import TARGETS, rollout, workload_of
from dockyard.deploy.files import compare, write
from dockyard.deploy.kubectl import Kubectl, current_context
from dockyard.errors import DeployError
from support import sentences

from . import cluster as stand_in

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not here")
GOOD, BROKEN = (f"registry.example/{name}/tiny-service@sha256:{'1' * 64}" for name in ("good", "broken"))
NAMESPACE = "tiny-service-staging"

KEY = {"kind": "Secret", "metadata": {"name": "tiny-service-key", "namespace": NAMESPACE}, "data": {"api_key": "YQ=="}}
WAITING = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
POD = {
    "kind": "Pod",
    "metadata": {
        "name": "tiny-service-x",
        "namespace": NAMESPACE,
        "labels": {"app.kubernetes.io/name": "tiny-service"},
    },
    "spec": {"containers": [{"name": "tiny-service"}]},
    "status": {
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{"ready": False, "restartCount": 0, "state": WAITING}],
    },
}


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A cluster with the key, which kubectl's own context leads to."""
    server = stand_in.Cluster()
    server.put(KEY)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bank",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "bank", "context": {"cluster": "c", "user": "u"}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config), "utf-8")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    yield server
    server.close()


@pytest.fixture
def apply(settings_of, project):
    """Write the files for an image and apply the staging environment; return what was announced."""

    def apply(image):
        workload, target = workload_of(settings_of(deploy__wait=20), image), TARGETS["kubernetes"]
        folder = project / "deploy"
        write(folder, compare(folder, target, target.files(workload)), force=False)
        said = []
        kubectl = Kubectl(context=current_context(), namespace=NAMESPACE)
        rollout.apply(workload, folder / "kubernetes/overlays/staging", kubectl, announce=said.append)
        return said

    return apply


def served(cluster):
    """The image of the Deployment."""
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/tiny-service"
    return cluster.objects[path]["spec"]["template"]["spec"]["containers"][0]["image"]


def test_applied(cluster, apply):
    """Every object is asked for with a dry run before any is applied, in its namespace and under our name."""
    apply(GOOD)

    dry = [query.get("dryRun") == "All" for _, query in cluster.log]
    assert dry == [True] * 7 + [False] * 7
    assert {query["fieldManager"] for _, query in cluster.log} == {"dockyard"}
    assert all(f"/namespaces/{NAMESPACE}/" in path for path, _ in cluster.log)
    assert served(cluster) == GOOD
    scaler = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/tiny-service"
    assert cluster.objects[scaler]["spec"]["minReplicas"] == 1


def test_taken_back(cluster, apply):
    """A release that does not become ready is taken back, with the words of the pod that did not."""
    apply(GOOD)
    cluster.put(POD)
    with pytest.raises(DeployError) as caught:
        apply(BROKEN)
    what, why, todo = sentences(caught.value)

    assert what == "tiny-service did not become ready and was taken back."
    assert "exceeded its progress deadline" in why
    assert "tiny-service-x: ImagePullBackOff: Back-off pulling image" in why
    assert "  the model cannot be read" in why
    assert todo.startswith("Revision 1 serves again.")
    assert served(cluster) == GOOD


def test_first_release_fails(cluster, apply):
    """A first release that does not become ready stays."""
    with pytest.raises(DeployError) as caught:
        apply(BROKEN)

    assert "there was nothing to go back to" in sentences(caught.value)[0]
    assert served(cluster) == BROKEN


def test_no_secret(cluster, apply):
    """A missing secret is told from a cluster that does not answer."""
    cluster.objects.clear()
    with pytest.raises(DeployError) as caught:
        apply(GOOD)

    assert "no secret tiny-service-key" in sentences(caught.value)[1]
    assert cluster.log == []


def test_refused(cluster, apply):
    """What admission refuses is not applied, and its words are told."""
    cluster.refuses["NetworkPolicy"] = stand_in.failure(403, "Forbidden", "admission webhook says no")
    with pytest.raises(DeployError) as caught:
        apply(GOOD)

    what, why, _ = sentences(caught.value)
    assert "nothing was applied" in what
    assert "admission webhook says no" in why
    assert {query.get("dryRun") for _, query in cluster.log} == {"All"}


def test_conflict(cluster, apply):
    """A field of another manager is taken over, and it is said whose it was."""
    whose = 'conflict with "kubectl" using apps/v1'
    cause = {"reason": "FieldManagerConflict", "message": whose, "field": ".spec.template"}
    text = f"Apply failed with 1 conflict: {whose}: .spec.template"
    cluster.refuses["Deployment"] = stand_in.failure(409, "Conflict", text, [cause])
    said = apply(GOOD)

    assert any('conflict with "kubectl"' in step for step in said)
    assert served(cluster) == GOOD
