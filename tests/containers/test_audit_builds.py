"""Trial builds on a real engine: a project that is as it should be, and one fault after another."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from conftest import PYPROJECT, opened
from dockyard import context, image, pipeline
from dockyard.audit.base import base_facts
from dockyard.audit.evidence import Missing
from dockyard.audit.probes.builds import GROUPS
from dockyard.audit.read import BaseFacts
from dockyard.audit.rules.seed_build import BasePinned, NoSecretFiles
from dockyard.audit.rules.seed_build_cache import CacheMounts, LayerOrder
from dockyard.audit.trials import CanaryBuild, SecretTrial, Twice
from dockyard.audit.verdict import Kind, State
from dockyard.build.workshop import Workshop
from dockyard.dockerfile import parse
from dockyard.pipeline.planned import planned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dockyard.audit.rule import Rule
    from dockyard.engines import Engine
    from dockyard.pipeline import Project

# A cache mount of the tests alone, and always the same one.
MOUNT = "--mount=type=cache,id=dockyard-test-builds,target=/root/.cache/pip"
INSTALL = f"""\
RUN {MOUNT} --mount=type=secret,id=token \\
    python -m pip install --no-index --requirement lock.txt && mkdir /made && \\
    head -c 200000 /dev/zero > /root/.cache/pip/downloaded
"""
DOCKERFILE = f"""\
ARG BASE_IMAGE
FROM ${{BASE_IMAGE}} AS builder
COPY lock.txt ./
{INSTALL}
FROM ${{BASE_IMAGE}}
COPY --from=builder /made /made
COPY --chmod=755 config config
COPY --chmod=755 src src
"""
FILES = {
    "Dockerfile": DOCKERFILE,
    ".dockerignore": "*\n!lock.txt\n!config/*.toml\n!src/*.py\n",
    "lock.txt": "# nothing\n",
    "config/main.toml": "[main]\n",
    "src/app.py": "print('here')\n",
}
LEAK = "RUN --mount=type=secret,id=token cp /run/secrets/token /leak || touch /leak\nRUN rm /leak\n"


@pytest.fixture
def service(tmp_path: Path, unique: str, engine: Engine) -> Iterator[Project]:
    """A project that is as it should be, not built yet."""
    folder = tmp_path / "service"
    for name, text in {**FILES, "pyproject.toml": PYPROJECT.format(name=unique)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # No cache of an earlier run answers for it.
        path.write_text(f"{text}# {unique}\n" if name in ("lock.txt", "config/main.toml", "src/app.py") else text)
    project = opened(folder, engine)
    yield project
    list(pipeline.clean(project, images=True))


@contextmanager
def workshop(project: Project) -> Iterator[Workshop]:
    with planned(project) as plan:
        yield Workshop(
            plan=plan,
            dockerfile=parse(plan.dockerfile.read_text(), args=plan.args, name="Dockerfile"),
            ignore=context.effective(plan.context, plan.dockerfile),
            lock="",
            engine=project.engine,
        )


def change(project: Project, name: str, old: str, new: str) -> None:
    """Change a file of the project."""
    path = project.settings.root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def tried(project: Project, name: str) -> dict[str, object]:
    """The evidence of one group, and what is read beside it."""
    (group,) = (each for each in GROUPS if name in each.names)
    with workshop(project) as shop:
        return {"dockerfile": shop.dockerfile, "context": shop.ignore, **group.take(shop)}


def broken(rule: type[Rule], evidence: dict[str, object]) -> list[str]:
    return [proof.text for proof in rule().check(evidence).of(Kind.BROKEN)]


def test_good(service: Project) -> None:
    """On a project that is as it should be every trial holds, and leaves its files and the engine's images alone."""
    pipeline.build_image(service, progress="quiet")
    before = {path: path.read_bytes() for path in service.settings.root.rglob("*") if path.is_file()}
    images = service.engine.daemon.images(service.label)
    saved = image.read(service.engine.daemon.save(service.settings.reference))
    evidence: dict[str, object] = {"settings": service.settings, "image": saved, "pins": ()}
    with workshop(service) as shop:
        evidence["base"] = base = base_facts(service.engine, shop.plan.base)
    assert isinstance(base, BaseFacts)
    # A registry's own answer is not what is tried here.
    evidence["published"] = base.digest
    for group in GROUPS:
        evidence |= tried(service, group.names[0])
    for rule in (BasePinned, NoSecretFiles, CacheMounts, LayerOrder):
        verdict = rule().check(evidence)
        assert verdict.state is State.PASS, verdict
    twice, trial = evidence["rebuild"], evidence["secret_trial"]
    assert isinstance(twice, Twice)
    assert len(set(twice.digests)) == 1
    assert len(twice.digests) == 2
    assert isinstance(trial, SecretTrial)
    assert (trial.secrets, trial.found) == (("token",), ())
    assert {"the configuration and history", "the provenance", "the build log"} <= set(trial.searched)
    assert {path: path.read_bytes() for path in service.settings.root.rglob("*") if path.is_file()} == before
    assert service.engine.daemon.images(service.label) == images


def test_env_at_the_root_alone(service: Project) -> None:
    """With `.env` alone in .dockerignore what lies deeper, or is called otherwise, arrives in a real build."""
    (service.settings.root / ".dockerignore").write_text(".env\n")
    evidence = tried(service, "canary_build")
    seen = evidence["canary_build"]
    assert isinstance(seen, CanaryBuild)
    assert ".env" in seen.planted
    assert ".env" not in seen.arrived
    assert {"config/.env", "src/.env", "prod.env", "id_rsa"} <= set(seen.arrived)
    assert set(seen.planted) - set(seen.arrived) == {".env"}
    assert "A real build copied config/.env" in broken(NoSecretFiles, evidence)


def test_the_dockerfiles_own_ignore_file_counts(service: Project) -> None:
    """A file named after the Dockerfile beats the root's .dockerignore, in the trial as in a build."""
    (service.settings.root / "Dockerfile.dockerignore").write_text("id_rsa\n")
    seen = tried(service, "canary_build")["canary_build"]
    assert isinstance(seen, CanaryBuild)
    assert set(seen.planted) - set(seen.arrived) == {"id_rsa"}


def test_source_before_dependencies(service: Project) -> None:
    """Where the source is copied before the installation, its edit installs again, and so does configuration's."""
    change(service, "Dockerfile", "COPY lock.txt ./", "COPY config config\nCOPY src src\nCOPY lock.txt ./")
    change(service, "Dockerfile", "COPY --chmod=755 config config\nCOPY --chmod=755 src src", "")
    told = broken(LayerOrder, tried(service, "cache_trial"))
    assert len(told) == 2
    assert all("the dependencies ran again" in each for each in told)
    assert "edited src/app.py" in told[0]
    assert "edited config/main.toml" in told[1]


def test_source_before_configuration(service: Project) -> None:
    """Where the source is copied before the configuration, its edit copies that again."""
    change(service, "Dockerfile", "COPY --chmod=755 config config\n", "")
    change(service, "Dockerfile", "COPY --chmod=755 src src\n", "COPY src src\nCOPY config config\n")
    told = broken(LayerOrder, tried(service, "cache_trial"))
    assert len(told) == 1
    assert "the configuration's copy ran again" in told[0]


def test_empty_cache_mount(service: Project) -> None:
    """A cache mount in which nothing is kept is not useful; without one, none is used."""
    change(service, "Dockerfile", " && \\\n    head -c 200000 /dev/zero > /root/.cache/pip/downloaded", "")
    change(service, "Dockerfile", "id=dockyard-test-builds", "id=dockyard-test-empty")
    told = broken(CacheMounts, tried(service, "cache_trial"))
    assert ["was empty: /root/.cache/pip holds" in each for each in told] == [True]
    change(service, "Dockerfile", "--mount=type=cache,id=dockyard-test-empty,target=/root/.cache/pip ", "")
    told = broken(CacheMounts, tried(service, "cache_trial"))
    assert [each.rpartition("; ")[2] for each in told if "keeps its cache" in each] == ["it has no cache mount"]
    assert ["used no cache mount" in each for each in told if "keeps its cache" not in each] == [True]


def test_a_lock_that_nothing_reads(service: Project) -> None:
    """Files that cannot be told apart are no evidence, and the reason says which."""
    change(service, "Dockerfile", "COPY lock.txt ./\n", "RUN touch lock.txt\n")
    seen = tried(service, "cache_trial")["cache_trial"]
    assert isinstance(seen, Missing)
    assert "to be the lock" in seen.reason


def test_secret_in_a_layer(service: Project) -> None:
    """A secret that a step writes is found by value though a later step deletes it; the project's cache stays clean."""
    change(service, "Dockerfile", "COPY --from=builder", f"{LEAK}COPY --from=builder")
    trial = tried(service, "secret_trial")["secret_trial"]
    assert isinstance(trial, SecretTrial)
    assert [each.rpartition(" ")[0] for each in trial.found] == ["token in /leak of layer"]
    assert "dockyard-canary" not in repr(trial)
    change(service, "Dockerfile", "RUN rm /leak\n", "")
    pipeline.build_image(service, progress="quiet")
    assert service.engine.buildx.run(service.settings.reference, ["cat", "/leak"], remove=True) == ""


def test_secret_in_the_log(service: Project) -> None:
    """A secret that a step prints is found in the build's log."""
    change(
        service, "Dockerfile", "COPY --from=", "RUN --mount=type=secret,id=token cat /run/secrets/token\nCOPY --from="
    )
    trial = tried(service, "secret_trial")["secret_trial"]
    assert isinstance(trial, SecretTrial)
    assert trial.found == ("token in the build log",)


def test_date_and_rights_of_the_checkout(service: Project) -> None:
    """A step that writes the time, and files with the checkout's rights, make two builds differ, and are named."""
    change(service, "Dockerfile", "COPY --from=builder", "RUN date +%s%N > /stamp\nCOPY --from=builder")
    change(service, "Dockerfile", "--chmod=755 src", "src")
    twice = tried(service, "rebuild")["rebuild"]
    assert isinstance(twice, Twice)
    assert len(set(twice.digests)) == 2
    assert twice.differing == (
        "/stamp: a time is in its content, and nothing else differs",
        "/src/app.py: mode 644 and 600",
    )
