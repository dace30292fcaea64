"""Evidence on which SEED-02, SEED-05, SEED-08 and SEED-09 pass, and on which each of their parts fails."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.audit.read import BaseFacts, PinnedImage
from dockyard.audit.rules.seed_build import DIGEST_LABEL
from dockyard.audit.trials import CanaryBuild, Rebuild
from dockyard.context import CANARIES, effective
from dockyard.dockerfile import parse
from dockyard.image import Entry, Image, Layer
from dockyard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.context import Ignore
    from dockyard.dockerfile import Dockerfile

NEW, OLD = (f"sha256:{digit * 64}" for digit in "ab")
TAG = "python:3.12-slim"
PINNED = f"{TAG}@{NEW}"
INSTALL = "RUN --mount=type=cache,target=/root/.cache/pip pip install --require-hashes -r lock.txt"
TEXT = f"""\
ARG BASE_IMAGE={PINNED}
FROM ${{BASE_IMAGE}} AS builder
COPY lock.txt ./
{INSTALL}
FROM ${{BASE_IMAGE}}
COPY --from=builder /opt/venv /opt/venv
COPY config config
COPY src src
"""
IGNORED = "*\n!config/main.toml\n!src/app.py\n"
CONFIG, SOURCE, LOCK = "COPY config config", "COPY src src", "COPY lock.txt ./"
VENV = "COPY --from=builder /opt/venv /opt/venv"

LAYERS = ("one", "two")

Evidence = dict[str, object]


def dockerfile(text: str = TEXT) -> Dockerfile:
    return parse(text, args={}, name="Dockerfile")


def ignore(text: str) -> Ignore:
    """The .dockerignore with such a text."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, ".dockerignore").write_text(text)
        return effective(Path(folder), Path(folder, "Dockerfile"))


def image(
    *files: str, hidden: tuple[str, ...] = (), layers: tuple[str, ...] = ("one", "two"), label: str = NEW
) -> Image:
    """An image with two layers, files in the second, and files of the first that the second deletes."""
    made = [
        Layer(
            index=index, digest="", diff_id=diff_id, size=1, compressed=1, history=-1, opaque=frozenset(),
            entries={path: entry(path, index) for path in ((*hidden,) if index == 0 else files)},
            whiteouts=frozenset(hidden if index else ()),
        )
        for index, diff_id in enumerate(layers)
    ]  # fmt: skip
    config = {"config": {"Labels": {DIGEST_LABEL: label}}, "rootfs": {"diff_ids": list(layers)}}
    return Image(
        reference="shop:prod", id=NEW, digest=NEW, config=config, history=(), layers=tuple(made),
        files={path: entry(path, 1) for path in files}, contents={}, kept={},
    )  # fmt: skip


def entry(path: str, layer: int) -> Entry:
    return Entry(path, "file", 0o644, 0, 0, 5, 0, "", b"", layer, "")


def base(**changed: object) -> BaseFacts:
    facts = BaseFacts(reference=PINNED, digest=NEW, diff_ids=("one",), assembled=False)
    return replace(facts, **changed)  # type: ignore[arg-type]


def settings(*registries: str) -> Settings:
    given = {"registries": registries} if registries else {}
    return Settings(root=Path("/project"), image="shop", version="1.0", audit=given)  # type: ignore[arg-type]


def rebuilt(kind: str, *, ran: tuple[str, ...], cached: tuple[str, ...], **mounts: int) -> Rebuild:
    given = {f"/root/.cache/{name}": size for name, size in mounts.items()}
    return Rebuild(edit=f"edited {kind}", kind=kind, ran=ran, cached=cached, seconds=1.5, mounts=given)


SOURCE_EDIT = rebuilt("source", ran=(SOURCE,), cached=(LOCK, INSTALL, VENV, CONFIG))
CONFIG_EDIT = rebuilt("config", ran=(SOURCE, CONFIG), cached=(LOCK, INSTALL, VENV))
LOCK_EDIT = rebuilt("lock", ran=(LOCK, INSTALL, VENV), cached=(CONFIG, SOURCE), pip=5_000_000)
TRIAL = (SOURCE_EDIT, CONFIG_EDIT, LOCK_EDIT)


def pinned(**changed: object) -> Evidence:
    given = {
        "dockerfile": dockerfile(), "settings": settings(), "base": base(), "image": image(), "published": NEW,
        "pins": (),
    }  # fmt: skip
    return {**given, **changed}


def kept(reference: str, *, text: str = "", used: bool = True) -> Evidence:
    """A Dockerfile that copies from one more image, which is pinned; or another image is."""
    tree = dockerfile(f"{TEXT}COPY --from={text or reference} /etc/os-release /x\n")
    return pinned(dockerfile=tree, pins=(PinnedImage(reference=reference, digest=OLD, used=used),))


def shut(**changed: object) -> Evidence:
    canaries = CanaryBuild(planted=CANARIES, arrived=())
    return {"context": ignore(IGNORED), "canary_build": canaries, "image": image("/app/app.py"), **changed}


def cached(**changed: object) -> Evidence:
    return {"dockerfile": dockerfile(), "image": image("/opt/venv/x"), "cache_trial": TRIAL, **changed}


def ordered(**changed: object) -> Evidence:
    return {"dockerfile": dockerfile(), "cache_trial": TRIAL, **changed}


def with_install(line: str) -> Evidence:
    """A Dockerfile with another installing step, which the rebuild ran."""
    tree = dockerfile(TEXT.replace(INSTALL, line))
    printed = next(each.printed for each in tree.stages[0].instructions if each.keyword == "RUN")
    return cached(dockerfile=tree, cache_trial=(replace(LOCK_EDIT, ran=(LOCK, printed)),))


PASSING: dict[str, Callable[[], Evidence]] = {
    "SEED-02": lambda: kept("alpine:3.20"),
    "SEED-05": shut,
    "SEED-08": cached,
    "SEED-09": ordered,
}
FAILING: dict[str, list[tuple[str, Callable[[], Evidence]]]] = {
    "SEED-02": [
        ("lacks a digest", lambda: pinned(dockerfile=dockerfile(TEXT.replace(PINNED, TAG)))),
        ("lacks a tag", lambda: pinned(dockerfile=dockerfile(TEXT.replace(PINNED, f"python@{NEW}")))),
        (
            "COPY --from alpine:3.20 names no image",
            lambda: pinned(
                dockerfile=dockerfile(f"{TEXT}COPY --from=alpine:3.20 /etc/os-release /x\n"),
            ),
        ),
        ("COPY --from alpine:3.21 names no image", lambda: kept("alpine:3.20", text="alpine:3.21")),
        ("COPY --from alpine names no image for good: it lacks a tag", lambda: kept("alpine")),
        (
            "evil.example/python:3.12",
            lambda: pinned(dockerfile=dockerfile(TEXT.replace(PINNED, f"evil.example/{PINNED}"))),
        ),
        ("comes from none of corp.example/", lambda: pinned(settings=settings("corp.example/"))),
        ("lowest layers are not", lambda: pinned(image=image(layers=("other", "two")))),
        (f"names the base {OLD[:19]}", lambda: pinned(image=image(label=OLD))),
    ],
    "SEED-05": [
        ("config/.env", lambda: shut(context=ignore(f"{IGNORED}!config/.env\n"))),
        ("A real build copied .envrc", lambda: shut(canary_build=CanaryBuild(planted=CANARIES, arrived=(".envrc",)))),
        ("/app/.env.prod", lambda: shut(image=image("/app/app.py", "/app/.env.prod"))),
        ("/app/id_rsa", lambda: shut(image=image("/app/app.py", hidden=("/app/id_rsa",)))),
    ],
    "SEED-08": [
        ("it has no cache mount", lambda: with_install("RUN pip install -r lock.txt")),
        (
            "its cache mount is at /root/.cache/uv",
            lambda: with_install("RUN --mount=type=cache,target=/root/.cache/uv pip install -r lock.txt"),
        ),
        ("pip --no-cache-dir", lambda: with_install(f"{INSTALL} --no-cache-dir")),
        ("PIP_NO_CACHE_DIR", lambda: with_install(f"ENV PIP_NO_CACHE_DIR=1\n{INSTALL}")),
        ("UV_NO_CACHE", lambda: with_install(INSTALL.replace("pip install", "UV_NO_CACHE=1 pip install"))),
        ("/root/.cache/pip/http/1", lambda: cached(image=image("/root/.cache/pip/http/1"))),
        ("no installer ran", lambda: cached(cache_trial=(replace(LOCK_EDIT, ran=(LOCK,)),))),
        ("used no cache mount", lambda: cached(cache_trial=(replace(LOCK_EDIT, mounts={}),))),
        ("was empty", lambda: cached(cache_trial=(replace(LOCK_EDIT, mounts={"/root/.cache/pip": 12_288}),))),
    ],
    "SEED-09": [
        ("whole context", lambda: ordered(dockerfile=dockerfile(TEXT.replace("COPY lock.txt ./", "COPY . ./")))),
        (
            "edited source (1.5 s) the dependencies ran",
            lambda: ordered(cache_trial=(replace(SOURCE_EDIT, ran=(SOURCE, INSTALL), cached=(CONFIG,)), CONFIG_EDIT)),
        ),
        (
            "edited source (1.5 s) the configuration's copy ran",
            lambda: ordered(
                cache_trial=(
                    replace(SOURCE_EDIT, ran=(SOURCE, CONFIG), cached=(INSTALL,)),
                    replace(CONFIG_EDIT, ran=(CONFIG,), cached=(INSTALL, SOURCE)),
                )
            ),
        ),
        (
            "edited config (1.5 s) the dependencies ran",
            lambda: ordered(cache_trial=(SOURCE_EDIT, replace(CONFIG_EDIT, ran=(INSTALL, CONFIG, SOURCE), cached=()))),
        ),
    ],
}
