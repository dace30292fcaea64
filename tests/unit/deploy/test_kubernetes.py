"""The manifests: what each setting changes, and what the published schemas and our own rules say of them."""

from __future__ import annotations

import json
import shutil
import subprocess

import jsonschema
import pytest
import yaml

from dockyard.audit.observed import Exchange, Stop
from dockyard.audit.read import TextFile
from dockyard.audit.rules import ALL
from dockyard.audit.verdict import State
from dockyard.deploy import TARGETS
from dockyard.deploy.files import seal
from dockyard.deploy.kubernetes.quantities import cpus, memory
from support import recorded

from .conftest import IMAGE

MAIN = TARGETS["kubernetes"].main
CONTAINER = "Deployment.spec.template.spec.containers.0"
POD = "Deployment.spec.template.spec"
CLAIMED = {"deploy__logs": "pvc"}
ONCE = "ReadWriteOnce"
# Everything that can be said at once.
ALL_SAID = {
    "deploy__logs": "pvc",
    "deploy__logs_class": "fast",
    "deploy__pull_secret": "registry",
    "deploy__ingress": ["namespace/a", "app=b", "10.0.0.0/8", "namespace/c/app=d"],
    "deploy__egress": ["*:443", "10.1.0.0/16", "namespace/mlflow:5000"],
    "deploy__pre_stop": 0,
    "run__env": {"MODEL_NAME": "yes"},
    "deploy__overlays": {"big": {"memory": "2g", "cpus": 1.5, "replicas": 9, "max_replicas": 20, "namespace": "big"}},
}


def at(objects, path):
    """Return what a dotted path leads to; None where it leads nowhere."""
    found = objects
    for part in path.split("."):
        found = found[int(part)] if isinstance(found, list) else (found or {}).get(part)
    return found


@pytest.mark.parametrize(
    ("changed", "path", "value"),
    [
        ({}, f"{CONTAINER}.image", IMAGE),
        ({}, f"{CONTAINER}.imagePullPolicy", "IfNotPresent"),
        ({"of": "tiny-service:prod"}, f"{CONTAINER}.imagePullPolicy", "Always"),
        ({"deploy__name": "prices"}, "Deployment.metadata.name", "prices"),
        ({"deploy__name": "prices"}, "Service.spec.selector", {"app.kubernetes.io/name": "prices"}),
        ({"deploy__name": "prices"}, "Deployment.spec.selector.matchLabels", {"app.kubernetes.io/name": "prices"}),
        ({"deploy__name": "prices"}, "HorizontalPodAutoscaler.spec.scaleTargetRef.name", "prices"),
        ({"deploy__namespace": "ns"}, "NetworkPolicy.metadata.namespace", "ns"),
        ({"run__memory": "300m"}, f"{CONTAINER}.resources.limits.memory", "300Mi"),
        ({"run__memory": "300m"}, f"{CONTAINER}.resources.requests.memory", "300Mi"),
        ({"deploy__memory": "2g", "run__memory": "300m"}, f"{CONTAINER}.resources.limits.memory", "2Gi"),
        ({"deploy__memory_request": "9k"}, f"{CONTAINER}.resources.requests.memory", "9Ki"),
        ({"deploy__memory_request": "9k"}, f"{CONTAINER}.resources.limits.memory", "512Mi"),
        ({"run__cpus": 0.25}, f"{CONTAINER}.resources.limits.cpu", "250m"),
        ({"deploy__cpus": 3}, f"{CONTAINER}.resources.requests.cpu", "3"),
        ({"deploy__cpus_request": 0.5}, f"{CONTAINER}.resources.requests.cpu", "500m"),
        ({"run__env": {"A": "yes"}}, "ConfigMap.data.A", "yes"),
        ({}, "ConfigMap.data.API_ENV", "production"),
        ({}, "ConfigMap.data.API_KEY_FILE", "/run/secrets/api_key"),
        ({"run__container_port": 9000}, "ConfigMap.data.PORT", "9000"),
        ({"run__container_port": 9000}, f"{CONTAINER}.ports.0.containerPort", 9000),
        ({"run__container_port": 9000, "deploy__ingress": ["*"]}, "NetworkPolicy.spec.ingress.0.ports.0.port", 9000),
        ({"deploy__port": 8080}, "Service.spec.ports.0.port", 8080),
        ({"deploy__secret": "s"}, f"{POD}.volumes.2.secret.secretName", "s"),
        ({"deploy__secret_key": "k"}, f"{POD}.volumes.2.secret.items", [{"key": "k", "path": "api_key"}]),
        ({}, f"{POD}.volumes.2.secret.defaultMode", 0o440),
        ({}, f"{POD}.volumes.1.emptyDir", {"sizeLimit": "1Gi"}),
        ({"deploy__logs_size": "5g"}, f"{POD}.volumes.1.emptyDir", {"sizeLimit": "5Gi"}),
        (CLAIMED, f"{POD}.volumes.1.persistentVolumeClaim", {"claimName": "tiny-service-logs"}),
        (CLAIMED, f"{CONTAINER}.volumeMounts.1.subPathExpr", "$(POD_NAME)"),
        (CLAIMED, f"{CONTAINER}.env.0.valueFrom.fieldRef.fieldPath", "metadata.name"),
        (CLAIMED, "PersistentVolumeClaim.spec.accessModes", ["ReadWriteMany"]),
        (CLAIMED, "PersistentVolumeClaim.spec.storageClassName", None),
        ({**CLAIMED, "deploy__logs_class": "c"}, "PersistentVolumeClaim.spec.storageClassName", "c"),
        ({**CLAIMED, "deploy__logs_size": "5g"}, "PersistentVolumeClaim.spec.resources.requests", {"storage": "5Gi"}),
        ({**CLAIMED, "deploy__logs_access": ONCE}, "PersistentVolumeClaim.spec.accessModes", [ONCE]),
        ({}, "PersistentVolumeClaim", None),
        ({"run__logs_target": "/srv/logs"}, f"{CONTAINER}.volumeMounts.1.mountPath", "/srv/logs"),
        ({"smoke__health": "/live"}, f"{CONTAINER}.livenessProbe.httpGet.path", "/live"),
        ({"smoke__health": "/live"}, f"{CONTAINER}.startupProbe.httpGet.path", "/live"),
        ({"smoke__ready": "/up"}, f"{CONTAINER}.readinessProbe.httpGet.path", "/up"),
        ({"run__wait": 42}, f"{CONTAINER}.startupProbe.failureThreshold", 9),
        ({}, f"{CONTAINER}.livenessProbe.periodSeconds", 30),
        ({"run__user": "7:8"}, f"{POD}.securityContext.runAsUser", 7),
        ({"run__user": "7:8"}, f"{POD}.securityContext.runAsGroup", 8),
        ({"run__user": "7:8"}, f"{POD}.securityContext.fsGroup", 8),
        ({"run__stop_timeout": 60}, f"{POD}.terminationGracePeriodSeconds", 70),
        ({"deploy__pre_stop": 9}, f"{CONTAINER}.lifecycle.preStop.sleep.seconds", 9),
        ({"deploy__pre_stop": 0}, f"{CONTAINER}.lifecycle", None),
        ({"deploy__pull_secret": "r"}, f"{POD}.imagePullSecrets", [{"name": "r"}]),
        ({}, f"{POD}.imagePullSecrets", None),
        ({"deploy__spread": ["rack"]}, f"{POD}.topologySpreadConstraints.0.topologyKey", "rack"),
        ({"deploy__settle": 3}, "Deployment.spec.minReadySeconds", 3),
        ({"deploy__wait": 99}, "Deployment.spec.progressDeadlineSeconds", 99),
        ({}, "Deployment.spec.replicas", None),
        ({"deploy__replicas": 3}, "HorizontalPodAutoscaler.spec.minReplicas", 3),
        ({"deploy__max_replicas": 9}, "HorizontalPodAutoscaler.spec.maxReplicas", 9),
        ({"deploy__cpu_target": 50}, "HorizontalPodAutoscaler.spec.metrics.0.resource.target.averageUtilization", 50),
        ({}, "PodDisruptionBudget.spec.maxUnavailable", 1),
        ({}, "ServiceAccount.automountServiceAccountToken", False),
        ({}, "NetworkPolicy.spec.ingress", []),
        ({"deploy__ingress": ["*"]}, "NetworkPolicy.spec.ingress.0.from", None),
        ({"deploy__egress": ["*"]}, "NetworkPolicy.spec.egress.1", {}),
        ({"deploy__egress": ["10.0.0.0/8:5000"]}, "NetworkPolicy.spec.egress.1.to.0.ipBlock.cidr", "10.0.0.0/8"),
        ({"deploy__egress": ["*:5000"]}, "NetworkPolicy.spec.egress.1", {"ports": [{"protocol": "TCP", "port": 5000}]}),
    ],
)  # fmt: skip
def test_settings(objects, changed, path, value):
    """Each setting changes what it should, in the object in which it should."""
    assert at(objects(**changed), path) == value


def test_dockerfile_times(objects, project):
    """The probes ask as often, as long and as stubbornly as the image's own health check."""
    check = "--interval=10s --timeout=5s --start-period=90s --start-interval=2500ms --retries=4"
    (project / "Dockerfile").write_text(f"FROM a\nHEALTHCHECK {check} CMD true\n", "utf-8")
    container = at(objects(), CONTAINER)

    alive, start = container["livenessProbe"], container["startupProbe"]
    assert (alive["periodSeconds"], alive["timeoutSeconds"], alive["failureThreshold"]) == (10, 5, 4)
    assert (start["periodSeconds"], start["failureThreshold"]) == (3, 30)


def test_pods_and_namespace_are_one_peer(objects):
    """Pods of a namespace are one entry: two would let in the whole namespace, and such pods of ours."""
    policy = objects(deploy__ingress=["namespace/m/app=p", "app=q"])["NetworkPolicy"]["spec"]["ingress"][0]["from"]

    assert policy == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "m"}},
            "podSelector": {"matchLabels": {"app": "p"}},
        },
        {"podSelector": {"matchLabels": {"app": "q"}}},
    ]


def test_dns(objects):
    """Questions to the cluster's DNS are allowed on its port over both protocols, and nothing else is."""
    (rule,) = objects()["NetworkPolicy"]["spec"]["egress"]

    assert [(each["protocol"], each["port"]) for each in rule["ports"]] == [("UDP", 53), ("TCP", 53)]
    assert rule["to"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "kube-system"}


def test_no_dns(objects, monkeypatch):
    """A service that asks nobody for names may call nobody at all."""
    monkeypatch.setenv("DOCKYARD_DEPLOY_DNS", "")
    assert objects()["NetworkPolicy"]["spec"]["egress"] == []


def test_changed_variables_start_new_pods(objects):
    """A changed variable gives the ConfigMap another name, which the pods follow; it cannot be changed in place."""
    one, two = objects(), objects(run__env={"A": "1"})

    assert one["ConfigMap"]["immutable"] is True
    assert one["ConfigMap"]["metadata"]["name"] != two["ConfigMap"]["metadata"]["name"]
    for each in (one, two):
        (source,) = at(each, CONTAINER)["envFrom"]
        assert source["configMapRef"]["name"] == each["ConfigMap"]["metadata"]["name"]


def test_same_bytes(rendered):
    """The same settings give the same bytes, whatever the order in which variables are said."""
    one = rendered("kubernetes", run__env={"A": "1", "B": "2"})
    assert one == rendered("kubernetes", run__env={"B": "2", "A": "1"})


@pytest.mark.parametrize("version", ["1.30", "1.37"])
@pytest.mark.parametrize("changed", [{}, ALL_SAID], ids=["defaults", "all said"])
def test_schema(rendered, version, changed):
    """Every object is valid by Kubernetes' own strict schema, of the oldest release that is meant and of a new one."""
    schema = json.loads(recorded(f"deploy/kubernetes-{version}.schema.json"))
    for each in yaml.safe_load_all(rendered("kubernetes", **changed)[MAIN]):
        kind = {"$ref": f"#/$defs/{schema['kinds'][each['kind']]}", "$defs": schema["$defs"]}
        jsonschema.Draft7Validator(kind).validate(each)


def test_schema_is_strict(objects):
    """The schema finds a field that there is not, so that the test above means something."""
    schema = json.loads(recorded("deploy/kubernetes-1.30.schema.json"))
    deployment = objects()["Deployment"]
    at({"Deployment": deployment}, CONTAINER)["readOnlyRootFilesytem"] = True
    kind = {"$ref": f"#/$defs/{schema['kinds']['Deployment']}", "$defs": schema["$defs"]}
    assert not jsonschema.Draft7Validator(kind).is_valid(deployment)


@pytest.mark.parametrize("rule", [rule for rule in ALL if rule.id.startswith("K8S")], ids=lambda rule: rule.id)
@pytest.mark.parametrize("changed", [{}, ALL_SAID], ids=["defaults", "all said"])
def test_rules(rendered, settings_of, rule, changed):
    """Our own rules pass on what we write."""
    text = seal(rendered("kubernetes", **changed)[MAIN])
    exchange = Exchange(request="POST /predict", status=200, answer="{}")
    evidence = {
        "manifests": (TextFile(path="deploy/manifests.yaml", text=text),),
        "settings": settings_of(**changed),
        "stop": Stop(answer=exchange, exit_code=0, seconds=9.9, grace=10),
    }
    verdict = rule().check(evidence)
    assert verdict.state is State.PASS, verdict


def test_standard_overlays(rendered):
    """Each environment has a namespace of its own, so that two can share a cluster; staging is small."""
    files = rendered("kubernetes")
    production, staging = (
        yaml.safe_load(files[f"kubernetes/overlays/{name}/kustomization.yaml"]) for name in ("production", "staging")
    )

    assert (production["namespace"], staging["namespace"]) == ("tiny-service-production", "tiny-service-staging")
    assert "patches" not in production
    (patch,) = [yaml.safe_load(each["patch"]) for each in staging["patches"]]
    assert patch["spec"] == {"minReplicas": 1, "maxReplicas": 2}


@pytest.mark.parametrize(
    ("said", "resources"),
    [
        ({"memory": "2g"}, ("500m", "2Gi", "1", "2Gi")),
        ({"cpus": 2}, ("2", "64Mi", "2", "512Mi")),
        ({"cpus_request": 0.1}, ("100m", "64Mi", "1", "512Mi")),
        ({"memory_request": "9m"}, ("500m", "9Mi", "1", "512Mi")),
    ],
)
def test_overlay_resources(rendered, said, resources):
    """What an environment says of its size wins; a limit of its own is reserved whole, all else is the base's."""
    files = rendered("kubernetes", deploy__memory_request="64m", deploy__cpus_request=0.5, deploy__overlays={"o": said})
    (patch,) = yaml.safe_load(files["kubernetes/overlays/o/kustomization.yaml"])["patches"]
    (container,) = yaml.safe_load(patch["patch"])["spec"]["template"]["spec"]["containers"]

    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    assert container["name"] == "tiny-service"
    assert (requests["cpu"], requests["memory"], limits["cpu"], limits["memory"]) == resources


@pytest.mark.skipif(not shutil.which("kubectl"), reason="Kustomize is kubectl's, which is not here")
@pytest.mark.parametrize("changed", [{}, ALL_SAID], ids=["defaults", "all said"])
def test_kustomize(rendered, tmp_path, changed):
    """Kustomize itself builds each environment: every patch finds its object, and every object its namespace."""
    for path, text in rendered("kubernetes", **changed).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    for folder in sorted((tmp_path / "kubernetes/overlays").iterdir()):
        built = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, check=False)
        assert built.returncode == 0, built.stderr
        documents = list(yaml.safe_load_all(built.stdout))
        namespace = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))["namespace"]
        assert {each["metadata"]["namespace"] for each in documents} == {namespace}
        scaler = next(each["spec"] for each in documents if each["kind"] == "HorizontalPodAutoscaler")
        assert scaler["minReplicas"] == {"production": 2, "staging": 1, "big": 9}[folder.name]


@pytest.mark.parametrize(("size", "told"), [("512m", "512Mi"), ("2g", "2Gi"), ("900k", "900Ki")])
def test_memory(size, told):
    """Docker's units are powers of two, as Kubernetes' with an i."""
    assert memory(size) == told


@pytest.mark.parametrize(("count", "told"), [(1.0, "1"), (0.5, "500m"), (1.5, "1500m"), (0.0001, "1m"), (16, "16")])
def test_cpus(count, told):
    """CPUs are whole, or thousandths; never none."""
    assert cpus(count) == told
