"""A stand-in for a cluster's API, as far as kubectl asks it: objects that are applied, and Deployments that roll out.

It is no Kubernetes: it knows no schema, no admission and no controller but a Deployment's bookkeeping. It shows that
the real kubectl takes our command lines, and what it makes of a server's answers.
"""

from __future__ import annotations

import copy
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import yaml

REVISION = "deployment.kubernetes.io/revision"
# Group and version to its kinds, as plural names.
KINDS = {
    "v1": {
        "ConfigMap": "configmaps",
        "Event": "events",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "Pod": "pods",
        "Secret": "secrets",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    },
    "apps/v1": {"Deployment": "deployments", "ReplicaSet": "replicasets"},
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
}
PLURALS = {plural: kind for kinds in KINDS.values() for kind, plural in kinds.items()}
VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def prefix(version: str) -> str:
    return f"/api/{version}" if version == "v1" else f"/apis/{version}"


class Cluster(ThreadingHTTPServer):
    """The server.

    Attributes:
        objects: What is there, by path.
        refuses: Answers to applied objects, by kind: a status of Kubernetes.
        broken: Variables of images that never become ready.
        log: Method, path and query of each request that changes something.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.refuses, self.log = {}, {}, []
        self.broken = "broken"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def put(self, document, version="v1"):
        kind, meta = document["kind"], document["metadata"]
        path = f"{prefix(version)}/namespaces/{meta['namespace']}/{KINDS[version][kind]}/{meta['name']}"
        self.objects[path] = {"apiVersion": version, **document}
        return path

    def roll_out(self, path, deployment):
        """Do what the controller of Deployments does: a ReplicaSet and a revision for each template."""
        meta, template = deployment["metadata"], deployment["spec"]["template"]
        sets = path.replace("/deployments/", "/replicasets/")
        known = {key: each for key, each in self.objects.items() if key.startswith(f"{sets}-")}
        same = [key for key, each in known.items() if each["spec"]["template"]["spec"] == template["spec"]]
        newest = max([int(each["metadata"]["annotations"][REVISION]) for each in known.values()], default=0)
        name = same[0] if same else f"{sets}-{newest + 1}"
        current = same and known[name]["metadata"]["annotations"][REVISION] == str(newest)
        revision = str(newest if current else newest + 1)
        owner = {"kind": "Deployment", "name": meta["name"], "uid": "1", "apiVersion": "apps/v1", "controller": True}
        self.objects[name] = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name.rpartition("/")[2],
                "namespace": meta["namespace"],
                "uid": name,
                "labels": template["metadata"]["labels"],
                "annotations": {REVISION: revision},
                "ownerReferences": [owner],
            },
            "spec": {"replicas": 1, "selector": deployment["spec"]["selector"], "template": copy.deepcopy(template)},
        }
        good = self.broken not in template["spec"]["containers"][0]["image"]
        meta.setdefault("annotations", {})[REVISION] = revision
        meta |= {"uid": "1", "generation": meta.get("generation", 0) + 1}
        deployment["spec"].setdefault("replicas", 1)
        late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        ready = {"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1, "readyReplicas": 1}
        deployment["status"] = {
            "observedGeneration": meta["generation"],
            **(ready if good else {"updatedReplicas": 0, "conditions": [late]}),
        }

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Cluster

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        there, last = self.server.objects, url.path.rpartition("/")[2]
        found = discovered(url.path) or there.get(url.path)
        if found:
            return self.answer(200, found)
        if last == "log":
            return self.answer(200, "the model cannot be read\n")
        if last in PLURALS:
            return self.answer(200, "" if "watch" in query else self.listed(url.path, query))
        return self.answer(404, failure(404, "NotFound", f'{url.path.split("/")[-2]} "{last}" not found'))

    def listed(self, path, query):
        """Return the objects of a kind; those of a name, if one is asked for."""
        named = dict(each.split("=") for each in query.get("fieldSelector", "").split(",") if "=" in each)
        name = named.get("metadata.name")
        below = {key: each for key, each in sorted(self.server.objects.items()) if key.startswith(f"{path}/")}
        items = [each for each in below.values() if name in (None, each["metadata"]["name"])]
        version = path.partition("/namespaces/")[0].removeprefix("/api/").removeprefix("/apis/")
        kind = f"{PLURALS[path.rpartition('/')[2]]}List"
        return {"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}

    def do_PATCH(self):
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers["Content-Length"]))
        cluster = self.server
        cluster.log.append((url.path, query))
        if "json-patch" in self.headers["Content-Type"]:
            document = copy.deepcopy(cluster.objects[url.path])
            for each in json.loads(body):
                if each["op"] == "replace" and each["path"] == "/spec/template":
                    document["spec"]["template"] = each["value"]
        else:
            document = yaml.safe_load(body)
            refusal = cluster.refuses.get(document["kind"])
            if refusal and not (refusal["reason"] == "Conflict" and query.get("force") == "true"):
                return self.answer(refusal["code"], refusal)
        if query.get("dryRun") != "All":
            if document["kind"] == "Deployment":
                cluster.roll_out(url.path, document)
            cluster.objects[url.path] = document
        return self.answer(200, document)

    def answer(self, code, document):
        text = isinstance(document, str)
        body = (document if text else json.dumps(document)).encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain" if text else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def failure(code, reason, message, causes=()):
    """Return a status of Kubernetes."""
    details = {"causes": list(causes)}
    head = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
    return {**head, "message": message, "reason": reason, "code": code, "details": details}


def discovered(path):
    """Return what a server tells of itself; None for anything else."""
    return {
        "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(each) for each in KINDS if "/" in each]},
        "/openapi/v3": {
            "paths": {prefix(each)[1:]: {"serverRelativeURL": f"/openapi/v3{prefix(each)}"} for each in KINDS}
        },
        **{prefix(each): resources(each) for each in KINDS},
        **{f"/openapi/v3{prefix(each)}": operations(each) for each in KINDS},
    }.get(path)


def group(version):
    name, _, number = version.partition("/")
    preferred = {"groupVersion": version, "version": number}
    return {"name": name, "versions": [preferred], "preferredVersion": preferred}


def resources(version):
    common = {"namespaced": True, "verbs": VERBS}
    listed = [
        {"name": plural, "singularName": kind.lower(), "kind": kind, **common}
        for kind, plural in KINDS[version].items()
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": listed}


def operations(version):
    """Return that every kind can be patched, with a dry run and with a check of its fields."""
    name, _, number = version.rpartition("/")
    parameters = [{"name": each, "in": "query"} for each in ("dryRun", "fieldValidation")]
    paths = {
        f"{prefix(version)}/{kind}": {
            "patch": {
                "x-kubernetes-group-version-kind": {"group": name, "version": number, "kind": kind},
                "parameters": parameters,
            }
        }
        for kind in KINDS[version]
    }
    return {"openapi": "3.0.0", "paths": paths}
