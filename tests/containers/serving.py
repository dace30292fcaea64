"""A project that runs images of the tiny service, committed rather than built, and what tests ask of it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from dockyard import pipeline, run
from support import DATA, opened

if TYPE_CHECKING:
    from pathlib import Path

    from dockyard.engines import Engine
    from dockyard.pipeline import Project

KEY = "operators-key-0123456789-0123456789-abc"
TINY = DATA / "tiny"
BASE = "dockyard.local/python:3.12-slim-bookworm"
PYPROJECT = """
[project]
name = "{image}"
version = "1.0"

[tool.dockyard]
tag = "one"

[tool.dockyard.run]
name = "{name}"
port = 0
wait = 60
watch = 0

[tool.dockyard.smoke]
golden = "golden.json"
"""
CHECK = 'HEALTHCHECK --interval=1s --timeout=20s --start-period=60s --start-interval=0.1s --retries=2 CMD ["python3", '

# Runs a command of invoke, and kills itself before or after a step: of the way there, or of the way back.
KILLED = """
import dataclasses, os, signal, sys
from invoke.program import Program
from dockyard.errors import UnhealthyError
from dockyard.pipeline import release
from dockyard.run import swap
from dockyard.tasks import namespace
module, step, when, *words = sys.argv[1:]
__import__(module)
at = sys.modules[module]

def die(): os.kill(os.getpid(), signal.SIGKILL)

def deadly(each):
    def act(given):
        if when == "before": die()
        each.act(given)
        die()
    return dataclasses.replace(each, act=act) if each.name == step else each

def lie(project, facts, golden):
    if not facts.name.endswith("-candidate"): raise UnhealthyError("It lies.", "It does.", "Mend it.")
    return prove(project, facts, golden)

if module.endswith("back"):
    prove, release.prove = release.prove, lie
at.perform = lambda steps, given: swap.perform([deadly(each) for each in steps], given)
sys.argv[1:] = words
Program(namespace=namespace, name="invoke").run(["invoke", *words])
"""


def folder_of(folder: Path, images: str) -> Path:
    """A project's folder that runs those images under a name of its own."""
    shutil.copytree(TINY, folder)
    name = f"{images}-{secrets.token_hex(3)}"
    (folder / "pyproject.toml").write_text(PYPROJECT.format(image=images, name=name), "utf-8")
    (folder / "tasks.py").write_text("from dockyard.tasks import namespace\n", "utf-8")
    return folder


def swept(project: Project, engine: Engine) -> None:
    """Remove what a project made on the engine, but not the images."""
    name = project.settings.run.name
    for facts in engine.daemon.containers(label=project.label):
        if facts.name.startswith(name):
            run.remove(facts.name, engine)


def again(project: Project, **given: object) -> Project:
    return opened(
        project.settings.root, project.engine, {key.replace("__", "."): value for key, value in given.items()}
    )


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def invoke(project: Project, *words: str, program: tuple[str, ...] = ("-m", "invoke"), **environment: str):
    return subprocess.run(
        [sys.executable, *program, *words],
        cwd=project.settings.root,
        env={**os.environ, "API_KEY": KEY, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def interrupted(project: Project, phase: str, *words: str, **environment: str) -> str:
    """Press Ctrl-C as soon as a command of invoke says that phase; return what it said from then on."""
    with subprocess.Popen(
        [sys.executable, "-m", "invoke", *words],
        cwd=project.settings.root,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if phase in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    return rest


def around(project: Project) -> tuple[list[str], list[str]]:
    """The containers and key volumes of a project's production container, without its own name's beginning."""
    daemon, name = project.engine.daemon, project.settings.run.name
    containers = [each.name.removeprefix(name) for each in daemon.containers(label=project.label)]
    volumes = [each for each in daemon.volumes(project.label) if each.startswith(f"{name}-key")]
    return [each for each in containers if not each.startswith("dockyard-test")], volumes


def serves(project: Project) -> str:
    """Ask the service for a prediction; return the version of the image that it runs."""
    facts = pipeline.own(project)
    answer = pipeline.target_of(project, facts).predict({"surface": 4}, key=KEY)
    assert (answer.status, answer.document) == (200, {"predicted_price": 8})
    image = project.engine.daemon.image(facts.image_id)
    return image.labels["org.opencontainers.image.version"] if image else "gone"


def lines(project: Project) -> list[str]:
    return (project.settings.root / "logs" / "tiny.log").read_text().splitlines()


def assert_settled(project: Project) -> None:
    """One container, one key, no journal, no candidate's logs."""
    containers, volumes = around(project)
    assert (containers, len(volumes)) == ([""], 1)
    assert not list((project.settings.state / "run").glob("*"))
    assert not (project.settings.state / "candidates").exists()


def cut_off(project: Project, module: str, step: str, when: str, *words: str, **environment: str) -> None:
    done = invoke(project, *words, program=("-c", KILLED, module, step, when), **environment)
    assert done.returncode == -signal.SIGKILL, (done.returncode, done.stdout, done.stderr)
