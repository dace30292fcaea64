"""What rules may ask for, by name; a part of a rule names it as a parameter."""

from __future__ import annotations

from dataclasses import dataclass

# What is read, without starting anything.
READ = {
    "today": "the day of the audit",
    "settings": "the project's settings",
    "dockerfile": "the Dockerfile's syntax tree, arguments expanded as `invoke build` gives them",
    "context": "the effective .dockerignore",
    "image": "the saved image: configuration, history, every layer, the merged file system",
    "base": "the base image as the engine has it: its digest and its layers",
    "pins": "the other images that the Dockerfile names and that are pinned, with their digests",
    "published": "the digest that the registry has for the base's tag",
    "revision": "what git says of the sources",
    "lock": "the hashed requirements that the image was built from",
    "sources": "the service's Python sources",
    "workflows": "the workflows of .github",
    "manifests": "Kubernetes manifests",
    "stack": "the Swarm stack",
    "sbom": "the SBOM",
    "scans": "results of other tools, given with --import",
    "build_check": "the answer of `docker buildx build --check`",
}
# What is tried: builds and containers are started for it.
TRIED = {
    "inspect": "`docker inspect` of a container started as in production",
    "processes": "every process of that container",
    "confinement": "/proc/1/status in that container",
    "sockets": "the listening sockets in that container",
    "smoke": "the smoke probes on that container",
    "written": "what that container's file system was changed in (`docker diff`)",
    "writes": "attempts to write as the container's user",
    "load": "the container under load",
    "log_lines": "what it logs for hostile requests",
    "leak": "a search for the key in everything it wrote",
    "routes": "every documented route asked without a key and with a wrong one",
    "surface": "what must not be reachable: documentation, odd methods, stack traces",
    "limits": "requests too large, too many and too slow",
    "zombies": "its processes after many health checks",
    "stop": "SIGTERM during a request",
    "health_check": "the health check with the service up and down",
    "hang": "the health state of a container that hangs, and recovers",
    "readiness": "the health routes without a model and without its registry",
    "log_failures": "the service on log volumes that cannot be written",
    "keys": "starts without a key, with bad keys, with two keys",
    "volumes": "the logs volume, mounted in each way",
    "canary_build": "a real build that copies a context full of canary files",
    "cache_trial": "rebuilds after edits, and the steps they ran",
    "secret_trial": "a build with a canary secret, searched for by value",
    "rebuild": "two builds without cache, compared",
}
NAMES = {**READ, **TRIED}


@dataclass(frozen=True)
class Missing:
    """Why a piece of evidence is not there."""

    reason: str
