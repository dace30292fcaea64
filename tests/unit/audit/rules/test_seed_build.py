from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.audit.evidence import Missing
from dockyard.audit.facts.installing import folders, installing
from dockyard.audit.rules.seed_build import BasePinned, NoSecretFiles
from dockyard.audit.rules.seed_build_cache import CacheMounts, LayerOrder
from dockyard.audit.verdict import Kind, State
from dockyard.dockerfile import parse

from .cases_seed_build import (
    CONFIG_EDIT,
    INSTALL,
    OLD,
    PINNED,
    SOURCE_EDIT,
    TAG,
    TEXT,
    base,
    cached,
    dockerfile,
    ignore,
    image,
    ordered,
    pinned,
    shut,
)


def told(rule, given, kind=Kind.HOLDS):
    return [proof.text for proof in rule().check(given).of(kind)]


@pytest.mark.parametrize(
    "config", [{}, {"config": None, "rootfs": None}, {"rootfs": {"diff_ids": None}}, {"rootfs": []}]
)
def test_no_configuration(config):
    """An image whose configuration says nothing of its layers is not on the base."""
    verdict = BasePinned().check(pinned(image=replace(image(), config=config)))

    assert verdict.state is State.FAIL


def test_base_without_layers():
    """A base of which no layer is known proves nothing."""
    assert BasePinned().check(pinned(base=base(diff_ids=()))).state is State.FAIL


def test_assembled_base():
    """An assembled base needs no digest in FROM: its layers and its label prove it, and no registry has it."""
    local = f"dockyard.local/{TAG}"
    tree = dockerfile(TEXT.replace(PINNED, local))
    facts = base(reference=local, assembled=True)
    verdict = BasePinned().check(pinned(dockerfile=tree, base=facts, published=""))

    assert verdict.state is State.PASS, verdict
    assert any("in no registry" in proof.text for proof in verdict.proofs)


def test_dockerfile_alone():
    """A tag that can move fails without an image and without a base, too."""
    gone = Missing("there is none")
    verdict = BasePinned().check(
        pinned(dockerfile=dockerfile(TEXT.replace(PINNED, TAG)), base=gone, image=gone, published=gone)
    )

    assert verdict.state is State.FAIL


def test_stale_pin():
    """A tag that has moved on is told, and fails nothing."""
    verdict = BasePinned().check(pinned(published=OLD))

    assert verdict.state is State.PASS
    assert any(proof.text.startswith(f"Stale pin: the registry has {OLD[:19]}") for proof in verdict.proofs)


@pytest.mark.parametrize(
    ("reference", "allowed"),
    [
        ("python", True),
        ("docker.io/library/python", True),
        ("dockyard.local/python", True),
        ("someone/python", False),
        ("docker.io/library-evil/python", False),
        ("localhost:5000/python", False),
        ("dockyard.local.evil.example/python", False),
    ],
)
def test_registries(reference, allowed):
    """A name is inside a registry by whole parts of it, and short names are the public registry's."""
    tree = dockerfile(TEXT.replace(TAG, f"{reference}:3.12"))
    failed = told(BasePinned, pinned(dockerfile=tree), Kind.BROKEN)

    assert bool(failed) is not allowed


def test_nothing_from_outside():
    """A build on scratch alone uses no image of others."""
    tree = parse("FROM scratch\nCOPY a /\n", args={}, name="Dockerfile")

    assert "No image from outside is used" in told(BasePinned, pinned(dockerfile=tree))


@pytest.mark.parametrize(
    "path",
    ["/a/.env", "/.env.prod", "/x/.envrc", "/home/u/id_ed25519", "/src/.git/config"],
)
def test_secret_names(path):
    """Such a file fails the image wherever it lies, deleted or not."""
    assert told(NoSecretFiles, shut(image=image(path)), Kind.BROKEN) == [f"A layer has the file {path}"]
    assert told(NoSecretFiles, shut(image=image(hidden=(path,))), Kind.BROKEN) == [f"A layer has the file {path}"]


@pytest.mark.parametrize(
    "path", ["/app/env", "/app/.environment", "/app/id_rsa.py", "/app/.gitignore", "/opt/venv/bin/env"]
)
def test_harmless_names(path):
    """A name that only resembles one is none."""
    assert NoSecretFiles().check(shut(image=image(path))).state is State.PASS


def test_deciding_line():
    """What lets a canary in is named with its line."""
    (proof, *_) = NoSecretFiles().check(shut(context=ignore("*\n!config\n"))).of(Kind.BROKEN)

    assert (proof.place.file, proof.place.line) == (".dockerignore", 2)


@pytest.mark.parametrize(
    ("line", "tools"),
    [
        ("pip install x", ["pip"]),
        ("with-network python -m pip install -r x", ["pip"]),
        ("python3.12 -m pip --quiet install x", ["pip"]),
        ("uv venv /opt/venv && uv pip install -r x", ["uv"]),
        ("uv sync --frozen", ["uv"]),
        ("pip install poetry && poetry install --no-root", ["pip", "poetry"]),
        ("pip uninstall x", []),
        ("pip list", []),
        ("uv venv /opt/venv", []),
        ("echo pip install x", []),
        ("apt-get install pip", []),
    ],
)
def test_installing(line, tools):
    """An installation is known by its command, through whatever it is called, and not by its words."""
    tree = parse(f"FROM scratch\nRUN {line}\n", args={}, name="Dockerfile")

    assert list(installing(tree.instructions[-1])) == tools


@pytest.mark.parametrize(
    ("before", "line", "where"),
    [
        ("", "pip install x", ("/root/.cache/pip",)),
        ("USER root", "uv sync", ("/root/.cache/uv",)),
        ("USER app", "pip install x", ("/home/app/.cache/pip", "/.cache/pip")),
        ("ENV HOME=/srv", "poetry install", ("/srv/.cache/pypoetry",)),
        ("ENV PIP_CACHE_DIR=/c", "pip install x", ("/c",)),
        ("ENV XDG_CACHE_HOME=/c", "uv sync", ("/c/uv",)),
        ("", "UV_CACHE_DIR=/d uv sync", ("/d",)),
        ("", "UV_LINK_MODE=copy uv sync", ("/root/.cache/uv",)),
    ],
)
def test_folders(before, line, where):
    """A tool's cache is where the user's home, or a variable, puts it."""
    tree = parse(f"FROM scratch\n{before}\nRUN {line}\n", args={}, name="Dockerfile")
    (tool,) = installing(tree.instructions[-1])

    assert folders(tool, tree.instructions[-1], tree.stages[0]) == where


def test_nothing_is_installed():
    """Where nothing is installed, nothing is known of caches."""
    tree = dockerfile(TEXT.replace(INSTALL, "RUN true"))

    assert CacheMounts().check(cached(dockerfile=tree, cache_trial=())).state is State.NOT_RUN
    assert LayerOrder().check(ordered(dockerfile=tree, cache_trial=())).state is State.NOT_RUN


def test_rebuilds_that_are_missing():
    """A trial without a rebuild after an edit of the configuration, or of anything, lets nothing pass."""
    assert LayerOrder().check(ordered(cache_trial=(SOURCE_EDIT,))).state is State.NOT_RUN
    assert LayerOrder().check(ordered(cache_trial=(CONFIG_EDIT,))).state is not State.PASS
    assert CacheMounts().check(cached(cache_trial=())).state is not State.PASS


@pytest.mark.parametrize("off", ["ENV PIP_NO_CACHE_DIR=0", "ENV UV_NO_CACHE=false", "ENV PIP_NO_CACHE_DIR="])
def test_switched_off(off):
    """A variable that says no to no cache changes nothing."""
    tree = dockerfile(TEXT.replace(INSTALL, f"{off}\n{INSTALL}"))

    assert CacheMounts().check(cached(dockerfile=tree)).state is State.PASS


def test_wider_mount():
    """A mount of the folder of all caches has the tool's."""
    tree = dockerfile(TEXT.replace("/root/.cache/pip", "/root/.cache"))
    printed = next(each.printed for each in tree.stages[0].instructions if each.keyword == "RUN")
    (_, _, lock) = cached()["cache_trial"]

    assert (
        CacheMounts().check(cached(dockerfile=tree, cache_trial=(replace(lock, ran=(printed,)),))).state is State.PASS
    )
