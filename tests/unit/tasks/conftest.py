from __future__ import annotations

import os
from dataclasses import dataclass

import pytest
from invoke.program import Program

from dockyard import pipeline
from dockyard.engines import Engine
from dockyard.pipeline import Project, release
from dockyard.report.console import Console
from dockyard.run import wait
from dockyard.settings import load
from dockyard.tasks import namespace
from support import BASE, IMAGE, FakeDaemon


@dataclass(frozen=True)
class Done:
    """What a command line did: its exit code and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def invoke(project, tmp_path, capsys, monkeypatch):
    """Run a command line in the project's folder, where no engine answers; reports of bugs stay with the test."""
    monkeypatch.chdir(project)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def invoke(line: str, tasks=namespace) -> Done:
        code = 0
        try:
            Program(namespace=tasks, name="invoke").run(["invoke", *line.split()])
        except SystemExit as stopped:
            code = stopped.code or 0
        return Done(code, *capsys.readouterr())

    return invoke


@pytest.fixture
def daemon(recorder):
    """An engine that has the project's image and its base, and runs nothing."""
    return FakeDaemon(recorder, images=[BASE, f"{IMAGE}:prod", "sha256:1"])


@pytest.fixture
def on_engine(recorder, daemon, monkeypatch):
    """Give every command line the fake engine and a free port."""
    monkeypatch.setattr(wait, "PAUSE", 0)
    # Nothing answers on a fake engine.
    monkeypatch.setattr(release, "prove", lambda *_: ())
    monkeypatch.setenv("DOCKYARD_RUN_WATCH", "0")
    monkeypatch.setenv("DOCKYARD_RUN_USER", f"{os.getuid()}:{os.getgid()}")
    monkeypatch.setenv("DOCKYARD_RUN_PORT", "0")
    monkeypatch.setenv("DOCKYARD_DEV_PORT", "0")

    def open_project(arguments=None, *, quiet=False) -> Project:
        return Project(load(arguments), Engine(recorder.buildx, daemon), Console(quiet=quiet))

    monkeypatch.setattr(pipeline, "open_project", open_project)
    return daemon
