from __future__ import annotations

import os

import pytest

from dockyard.engines import Engine
from dockyard.pipeline import Project, release
from dockyard.report.console import Console
from dockyard.run import wait
from dockyard.settings import load
from support import BASE, IMAGE, FakeDaemon


@pytest.fixture
def opened(project, recorder, monkeypatch):
    """Open the project on a fake engine, for whoever runs the tests and on a free port."""
    monkeypatch.setattr(wait, "PAUSE", 0)
    # Nothing answers on a fake engine.
    monkeypatch.setattr(release, "prove", lambda *_: ())
    for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    def opened(*there, images=(BASE, f"{IMAGE}:prod", "sha256:1"), quiet=False, daemon=None, **changed) -> Project:
        daemon = daemon or FakeDaemon(recorder, *there, images=images)
        arguments = {
            "run.port": 0,
            "dev.port": 0,
            "run.user": f"{os.getuid()}:{os.getgid()}",
            "run.wait": 5,
            "run.watch": 0,
        }
        arguments |= {key.replace("__", "."): value for key, value in changed.items()}
        loaded = load(arguments, start=project)
        return Project(loaded, Engine(recorder.buildx, daemon), Console(quiet=quiet))

    return opened


@pytest.fixture
def bundle(project, monkeypatch):
    """A CA bundle that this machine is set up with."""
    path = project / "ca.pem"
    path.write_text("PEM")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path
