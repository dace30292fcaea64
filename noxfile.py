"""Sessions on the code: `nox` runs them all, `nox -s tests-3.12` one. The image is Invoke's: `invoke --list`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "tests", "project", "containers", "smoke", "audit"]

# pyenv's shims answer 127 for every version but the chosen one; the interpreters behind them work.
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
os.environ["PATH"] += "".join(f"{os.pathsep}{folder}" for folder in sorted(PYENV.glob("versions/*/bin")))


def works(python: str) -> bool:
    """Whether this interpreter is here and runs."""
    program = shutil.which(f"python{python}")
    return program is not None and not subprocess.run([program, "--version"], capture_output=True).returncode


SUPPORTED = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
IMAGES = nox.project.load_toml("pyproject.toml")["tool"]["dockyard"]["pythons"]
FOUND = [python for python in SUPPORTED if works(python)]


def install(session: nox.Session) -> None:
    """Install the locked development set, by hash, and this project."""
    session.install("--require-hashes", "-r", "requirements/dev.txt")
    session.install("--no-deps", "-e", ".")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting; the workflows' form and security."""
    install(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    workflows = map(str, Path(".github/workflows").glob("*.yml"))
    session.run("check-jsonschema", "--builtin-schema=vendor.github-workflows", *workflows)
    session.run("check-jsonschema", "--builtin-schema=vendor.dependabot", ".github/dependabot.yml")
    session.run("zizmor", "--offline", "--quiet", ".github")


@nox.session
def types(session: nox.Session) -> None:
    """Strict types."""
    install(session)
    session.run("mypy")


@nox.session(python=FOUND)
def tests(session: nox.Session) -> None:
    """Unit and service tests; no engine is needed."""
    install(session)
    session.run("pytest", "--numprocesses=auto", "tests/unit", "tests/service", *session.posargs)


@nox.session
def project(session: nox.Session) -> None:
    """The project's own promises: who imports whom, that everything documented is true."""
    install(session)
    session.run("pytest", "tests/project", *session.posargs)


@nox.session
def containers(session: nox.Session) -> None:
    """Tests that need a real engine."""
    install(session)
    session.run("pytest", "tests/containers", "-m", "not operations", *session.posargs)


@nox.session(default=False)
def operations(session: nox.Session) -> None:
    """Replacements, kills at every step and orchestrators on a real engine; half an hour."""
    install(session)
    session.run("pytest", "tests/containers", "-m", "operations", *session.posargs)


@nox.session(venv_backend="none")
def smoke(session: nox.Session) -> None:
    """Build the image on each Python of the matrix, run it, probe it, remove it."""
    for python in IMAGES:
        session.notify(f"smoke-{python}")


def smoke_on(python: str) -> None:
    """Define the session of one Python; a base image that cannot be had is not run, or fails where all are required."""

    @nox.session(name=f"smoke-{python}", venv_backend="none", default=False)
    def smoke_one(session: nox.Session) -> None:
        """Build the image on this Python, run it, probe it, remove it."""
        invoke = (sys.executable, "-m", "invoke")
        look = subprocess.run([*invoke, "setup", "--python", python, "--format", "json"], stdout=subprocess.PIPE)
        bases = [each for each in json.loads(look.stdout or "[]") if each["subject"].startswith("base ")]
        refused = [each for each in bases if each["state"] == "refused"]
        if refused and os.environ.get("DOCKYARD_REQUIRE_ALL") != "1":
            session.skip(f"not run: {refused[0]['subject']}: {refused[0]['detail']}")
        session.run(*invoke, "smoke", "--build", "--python", python, external=True)


for each in IMAGES:
    smoke_on(each)


@nox.session(venv_backend="none")
def audit(session: nox.Session) -> None:
    """Build the image and prove every claim about it; reports go to the folder of that name."""
    Path("reports").mkdir(exist_ok=True)
    flags = ["--fail-on=medium", *(f"--write=reports/audit.{kind}" for kind in ("sarif", "xml", "json"))]
    session.run(sys.executable, "-m", "invoke", "build", "audit", *flags, *session.posargs, external=True)


@nox.session(default=False, venv_backend="none")
def lock(session: nox.Session) -> None:
    """Compile requirements/*.txt anew: hashed, for every Python, of versions that are out for some days."""
    session.run(sys.executable, "-m", "invoke", "pin", "--dependencies", *session.posargs, external=True)
