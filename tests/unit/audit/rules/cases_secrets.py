"""Evidence that passes and that fails the rules SEC-01 to SEC-05; tokens are put together, so that no file has one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dockyard.audit.observed import Leak
from dockyard.audit.trials import SecretTrial
from dockyard.image import HistoryStep

from .cases_seed import with_config, with_dockerfile, with_image
from .samples import CONFIG, File, evidence, image, inspected, keys, match

if TYPE_CHECKING:
    from .cases_seed import Make

TOKEN = "ghp" + "_" + "a1B2" * 9
ENV = CONFIG["Env"]
MOUNTS = inspected()["Mounts"]


def with_history(step: str) -> Make:
    """Evidence with one more step in front."""
    first = HistoryStep(created_by=step, created="", comment="", empty=False, layer=None)
    return lambda: evidence(image=replace(image(), history=(first, *image().history)))


def with_env(*variables: str) -> Make:
    """Evidence with more variables in the image."""
    return with_config(Env=[*ENV, *variables])


def attested(name: str, value: str) -> Make:
    """Evidence with a build argument in the provenance."""
    request = {"args": {f"build-arg:{name}": value}}
    statement = {"predicate": {"buildDefinition": {"externalParameters": {"request": request}}}}
    return with_image(attestations=(statement,))


def running(**changed: object) -> Make:
    """Evidence with a container that was started otherwise."""
    return partial(evidence, inspect=inspected(**changed))


FAILING: dict[str, list[tuple[str, Make]]] = {
    "SEC-01": [
        (
            "/app/k.py holds a private key at byte 7",
            with_image({"/app/k.py": File()}, matches=(match("private key", "/app/k.py"),)),
        ),
        (
            "deleted or replaced in layer 2, still readable in layer 1",
            with_image({"/app/k": File()}, deleted=("/app/k",), matches=(match("private key", "/app/k"),)),
        ),
        ("/root/.netrc is a file of credentials", with_image({"/root/.netrc": File()})),
        ("/app/conf/.env.prod is a file of credentials", with_image({"/app/conf/.env.prod": File()})),
        ("deleted or replaced in layer 2", with_image({"/root/.ssh/id_rsa": File()}, deleted=("/root",))),
    ],
    "SEC-02": [
        ("DB_PASSWORD holds a value under a secret's name", with_env("DB_PASSWORD=hunter2-hunter2")),
        ("X holds a GitHub token", with_env(f"X={TOKEN}")),
        ("TRACKING holds a URL with a password", with_env("TRACKING=https://me:s3cr3t-pw@host/x")),
        ("note holds a GitHub token", with_config(Labels={"note": TOKEN})),
        ("Config.Cmd holds a value of API_TOKEN", with_config(Cmd=["env", "API_TOKEN=abcdef-012345", "python"])),
        ("Step 0 of the history holds a value of TOKEN", with_history("RUN |1 TOKEN=abcdef-012345 /bin/sh -c true")),
        ("Step 0 of the history holds a GitHub token", with_history(f"RUN /bin/sh -c curl -H {TOKEN} host")),
    ],
    "SEC-03": [
        ("build argument API_TOKEN", with_dockerfile("WORKDIR /build", "ARG API_TOKEN\nWORKDIR /build")),
        ("build argument PIP_PASSWORD", with_dockerfile("ARG BASE_IMAGE", "ARG PIP_PASSWORD=\nARG BASE_IMAGE")),
        ("URL with credentials", with_dockerfile("pip install", "pip install -i https://me:s3cr3t-pw@host/simple")),
        ("build-arg:API_TOKEN", attested("API_TOKEN", "abcdef-012345")),
        ("build-arg:INDEX", attested("INDEX", "https://me:s3cr3t-pw@host/simple")),
        (
            "found again in layer 2",
            partial(evidence, secret_trial=SecretTrial(secrets=("c",), searched=("layers",), found=("layer 2: /x",))),
        ),
    ],
    "SEC-04": [
        ("API_KEY holds a secret", running(config={"Env": [*ENV, "API_KEY=abcdef-012345"]})),
        ("Cmd holds a secret", running(config={"Cmd": ["python", TOKEN]})),
        ("note holds a secret", running(config={"Labels": {"note": TOKEN}})),
        ("Nothing is mounted below /run/secrets", running(Mounts=MOUNTS[:1])),
        ("that can be written", running(Mounts=[{**MOUNTS[1], "RW": True}])),
        ("Key as a file: POST /predict, key as a file: 401", partial(evidence, keys=keys(status=401))),
    ],
    "SEC-05": [
        (
            "found in stdout",
            partial(evidence, leak=Leak(sent=("POST /",), searched={"stdout": 9}, found=("stdout",))),
        ),
    ],
}
PASSING: dict[str, Make] = dict.fromkeys(FAILING, evidence)
