from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard import context
from dockyard.audit.base import base_facts, published
from dockyard.audit.evidence import TRIED, Missing
from dockyard.audit.probes import builds, builds_cache, builds_secret
from dockyard.audit.probes.builds_cache import Edit, cache_trial, edits
from dockyard.audit.probes.builds_canary import canary_build
from dockyard.audit.probes.builds_secret import secret_trial
from dockyard.audit.probes.builds_twice import rebuild
from dockyard.build import Step
from dockyard.build.workshop import Built, Workshop
from dockyard.dockerfile import parse
from dockyard.engines import Engine
from dockyard.engines.cache import CacheRecord
from dockyard.errors import BuildError
from dockyard.plan import BuildPlan
from images import file, saved
from support import BASE, SECRET, FakeDaemon, chain, image, sentences

INSTALL = "RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=token pip install -r requirements.txt"
DOCKERFILE = f"""\
FROM {BASE} AS builder
COPY requirements.txt ./
{INSTALL}
FROM {BASE}
COPY --from=builder /opt /opt
COPY config config
COPY src src
"""
FILES = (
    "requirements.txt",
    "config/main.toml",
    "config/deep/other.yaml",
    "src/app.py",
    "src/__init__.py",
    "src/deep/a.py",
)
SAID = {"vertexes": [{"digest": "sha256:1", "name": "[1/1] RUN false", "error": "exit code: 1", "started": "x"}]}


@pytest.fixture
def shop(project, recorder):
    """Return the workshop of a Dockerfile, with some files beside it."""

    def shop(text=DOCKERFILE, *, files=FILES, lock="", secrets=None, images=(BASE,)):
        for name in files:
            path = project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{name}\n")
        (project / "Dockerfile").write_text(text)
        plan = BuildPlan(
            context=project,
            dockerfile=project / "Dockerfile",
            python="3.12",
            base=BASE,
            tags=("tiny-service:prod",),
            args={},
            labels={},
            secrets=secrets or {},
        )
        return Workshop(
            plan=plan,
            dockerfile=parse(text, args={}, name="Dockerfile"),
            ignore=context.effective(project, plan.dockerfile),
            lock=lock,
            engine=Engine(recorder.buildx, FakeDaemon(recorder, images=images)),
        )

    return shop


def test_groups():
    """Each group gives evidence that is known, and none gives another's."""
    names = [name for group in builds.GROUPS for name in group.names]

    assert set(names) <= set(TRIED)
    assert len(names) == len(set(names))


def test_edits(shop):
    """The source's plainest file, the configuration beside it, and what the installer reads."""
    assert edits(shop()) == (
        Edit(kind="source", path="src/app.py"),
        Edit(kind="config", path="config/main.toml"),
        Edit(kind="lock", path="requirements.txt"),
    )


def test_edits_of_the_settings(shop):
    """The lock that the settings name is taken, if it is copied before the installer."""
    text = DOCKERFILE.replace("requirements.txt ./", "*.txt ./")
    files = (*FILES, "other.txt", "far/lock.txt")

    assert edits(shop(text, files=files, lock="other.txt"))[-1].path == "other.txt"
    assert edits(shop(text, files=files, lock="far/lock.txt"))[-1].path in ("requirements.txt", "other.txt")


def test_edits_without_configuration(shop):
    """A project without a configuration has two edits."""
    chosen = edits(shop(DOCKERFILE.replace("COPY config config\n", "")))

    assert [each.kind for each in chosen] == ["source", "lock"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DOCKERFILE.replace("COPY src src\n", ""), "No COPY of the Dockerfile brings Python"),
        (DOCKERFILE.replace(INSTALL, "RUN true"), "to be the lock"),
        (DOCKERFILE.replace("COPY requirements.txt ./\n", ""), "to be the lock"),
        (f"FROM {BASE}\nCOPY --from=other /src src\n", "No COPY of the Dockerfile brings Python"),
    ],
)
def test_no_edits(shop, recorder, text, reason):
    """What cannot be told apart is missing with the reason, and nothing is built."""
    seen = cache_trial(shop(text))

    assert isinstance(seen, Missing)
    assert reason in seen.reason
    assert recorder.builds == []


@pytest.mark.parametrize(("name", "text"), [("a.json", '{"a": 1}'), ("Pipfile.lock", '{"a": [2]}')])
def test_edit_of_json(tmp_path, name, text):
    """An edit of JSON is white space, and another one each time."""
    path = tmp_path / name
    seen = set()
    for _ in range(5):
        path.write_text(text)
        builds_cache._append(path)
        assert json.loads(path.read_text()) == json.loads(text)
        seen.add(path.read_text())
    assert len(seen) == 5


def test_edit_of_text(tmp_path):
    """An edit of all else is a comment; bytes that are no UTF-8 stay."""
    path = tmp_path / "a.toml"
    path.write_bytes(b"a = 1 # \xff")
    builds_cache._append(path)

    first, second = path.read_bytes().strip().split(b"\n")
    assert first == b"a = 1 # \xff"
    assert second.startswith(b"# ")


def test_mounts(shop, monkeypatch):
    """A rebuild has the cache mounts of the steps that ran, and only those that have been used since."""
    made = shop(DOCKERFILE.replace(" pip install", " --mount=type=cache,target=/idle pip install"))
    install = next(each.printed for each in made.instructions if each.mounts)

    def answers():
        for uses in (1, 2):
            record = CacheRecord(id="a", kind="exec.cachemount", target="/root/.cache/pip", size=5_000_000, uses=uses)
            unused = replace(record, id="b", size=9_000_000, uses=7)
            yield record, unused, replace(unused, id="c", target="/idle"), replace(record, id="d", target="/other")

    told = answers()
    monkeypatch.setattr(made.engine.buildx.cache, "mounts", lambda _: next(told))
    monkeypatch.setattr(
        Workshop, "build", lambda *_: Built(steps=(Step(name=f"[builder 3/3] {install}"),), seconds=1.0)
    )
    seen = builds_cache._edited(made, made.plan.context, Edit(kind="lock", path="requirements.txt"))

    assert seen.mounts == {"/root/.cache/pip": 5_000_000}
    assert seen.ran == (install,)


def test_a_lost_result_is_no_evidence(shop, monkeypatch):
    """A step that runs after one edit of the source and is cached after the next was lost by BuildKit's cache."""
    made = shop()
    copied = [each.printed for each in made.instructions if each.keyword == "COPY"][-2:]

    def steps(*ran):
        return tuple(Step(name=f"[stage-1 1/1] {each}", cached=each not in ran) for each in copied)

    told = iter([steps(), steps(*copied), steps(copied[1]), steps(copied[0]), steps(*copied), steps(*copied)])
    monkeypatch.setattr(Workshop, "build", lambda *_: Built(steps=next(told), seconds=1.0))
    source, config, lock = cache_trial(made)

    assert (source.ran, source.cached) == ((copied[1],), (copied[0],))
    assert (config.ran, config.cached) == ((copied[0],), (copied[1],))
    assert (lock.ran, lock.cached) == (tuple(copied), ())


def test_copy(shop):
    """A copy has what the context admits, with its rights, links as links, and nothing else; it goes with the block."""
    made = shop()
    root = made.plan.context
    (root / ".dockerignore").write_text("config\n")
    (root / "src/app.py").chmod(0o750)
    (root / "src").chmod(0o700)
    (root / "src/link").symlink_to("/etc/passwd")
    made = shop(files=())
    with made.copied() as copy:
        assert not (copy / "config").exists()
        assert (copy / "src/app.py").stat().st_mode & 0o777 == 0o750
        assert (copy / "src").stat().st_mode & 0o777 == 0o700
        assert (copy / "src/link").is_symlink()
        assert copy.parent != root
    assert not copy.parent.exists()


def test_build_leaves_no_image(shop, recorder):
    """A trial build has no tag and loads nothing."""
    made = shop()
    made.build(made.plan.context)

    (call,) = recorder.builds
    assert "--tag" not in call
    assert "--load" not in call
    assert call[call.index("--output") + 1] == "type=cacheonly"


def test_stopped(shop, recorder):
    """Once the audit is stopped no build begins, though it may have waited for its turn."""
    made = shop()
    made.release()
    with pytest.raises(BuildError) as caught:
        made.build(made.plan.context)

    assert sentences(caught.value)[0] == "The trial builds were stopped."
    assert recorder.builds == []


def test_failed_build(shop, recorder):
    """A build that fails names its step, and nothing that the step printed."""
    logged = {"logs": [{"vertex": "sha256:1", "data": "aHVudGVyMi1odW50ZXIyLWh1bnRlcjItaHVudGVyMi1odW50ZXIy"}]}
    recorder.answer("buildx build", error=f"{json.dumps(SAID)}\n{json.dumps(logged)}\nERROR: no\n", code=1)
    made = shop()
    with pytest.raises(BuildError) as caught:
        made.build(made.plan.context)

    assert "[1/1] RUN false" in sentences(caught.value)[0]
    assert SECRET not in chain(caught.value)


def test_no_secrets(shop, recorder):
    """A Dockerfile without secret mounts has no trial."""
    seen = secret_trial(shop(DOCKERFILE.replace("--mount=type=secret,id=token ", "")))

    assert isinstance(seen, Missing)
    assert recorder.builds == []


def test_canary_that_is_refused(shop, recorder, tmp_path, monkeypatch):
    """If a build cannot be made with a plain canary, it is made with what the project has; the error names no value."""
    real = tmp_path / "real"
    real.write_text(SECRET)
    monkeypatch.setattr(Workshop, "archives", lambda _: True)
    recorder.answer("buildx build", error="ERROR: no\n", code=1)
    text = DOCKERFILE.replace("id=token", "id=token --mount=type=secret,id=other")
    with pytest.raises(BuildError) as caught:
        secret_trial(shop(text, secrets={"token": real}))

    given = [[word for word in call if word.startswith("id=")] for call in recorder.builds]
    assert [[word.partition(",")[0] for word in each] for each in given] == [["id=token", "id=other"], ["id=token"]]
    assert SECRET not in chain(caught.value)
    assert SECRET not in json.dumps(recorder.calls)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"https://me:{SECRET}@index.example.org/simple\n", SECRET),
        (f"short\n{SECRET}\n", SECRET),
    ],
)
def test_real_secret(tmp_path, text, value):
    """A secret that the build needs as it is stays so, and what only it has is looked for."""
    real, file = tmp_path / "real", tmp_path / "given"
    real.write_text(text)

    assert builds_secret._planted(file, real) == value.encode()
    assert file.read_text() == text
    assert file.stat().st_mode & 0o077 == 0


def test_certificates(tmp_path):
    """Certificates get a canary as a comment, and stay what they are."""
    real, file = tmp_path / "real", tmp_path / "given"
    real.write_text("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
    value = builds_secret._planted(file, real).decode()

    assert file.read_text().startswith(real.read_text())
    assert file.read_text().splitlines()[-1] == f"# {value}"
    assert value not in real.read_text()


def test_new_argument(shop):
    """Each stage gets one new ARG right before its first step with a secret; nothing else changes."""
    other = "RUN --mount=type=secret,id=token true"
    text = f"{DOCKERFILE}{other}\n{other}\n"
    made = shop(text)
    steps = [each for each in made.instructions if builds_secret._ids(each)]
    lines = builds_secret._anew(made, steps).split("\n")

    added = [number for number, line in enumerate(lines) if line.startswith("ARG DOCKYARD_TRIAL=")]
    assert [lines[number + 1] for number in added] == [INSTALL, other]
    assert "\n".join(line for number, line in enumerate(lines) if number not in added) == text


def test_builder_without_archives(shop, recorder, monkeypatch):
    """Where images cannot be written with their own times, that is the reason."""
    monkeypatch.setattr(Workshop, "archives", lambda _: False)
    seen = rebuild(shop())

    assert isinstance(seen, Missing)
    assert recorder.builds == []


def test_rebuild(shop, monkeypatch):
    """Two builds that differ have two digests, and what differs is named as a person would."""

    def build(self, folder, **changed):
        mode = (folder / "src/app.py").stat().st_mode & 0o777
        Path(changed["output"]["dest"]).write_bytes(saved([file("src/app.py", mode=mode)]))
        return Built()

    monkeypatch.setattr(Workshop, "archives", lambda _: True)
    monkeypatch.setattr(Workshop, "build", build)
    seen = rebuild(shop())

    assert len(set(seen.digests)) == 2
    assert seen.differing == ("/src/app.py: mode 644 and 600",)


def test_canaries_go_where_files_are_admitted(shop, recorder, monkeypatch):
    """Each folder from which the context admits something has canaries, under the .dockerignore that counts."""
    seen = {}

    def build(self, folder, **changed):
        seen["ignored"] = Path(f"{changed['file']}.dockerignore").read_text()
        seen["planted"] = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        raise BuildError("a", "b", "c")

    monkeypatch.setattr(Workshop, "build", build)
    made = shop()
    (made.plan.context / ".dockerignore").write_text("*\n!src/deep\n")
    with pytest.raises(BuildError):
        canary_build(shop(files=()))

    assert seen["ignored"] == "*\n!src/deep\n"
    assert {"src/deep/id_rsa", "src/.env", ".env", "src/deep/a.py"} <= seen["planted"]
    assert "config/deep/.env" not in seen["planted"]


@pytest.mark.parametrize(("version", "has"), [("0.13.1", "0.13.1"), ("", "none")])
def test_no_check(shop, recorder, version, has):
    """A buildx that has no --check is named as the reason."""
    recorder.answer(
        "buildx version", output=version and f"github.com/docker/buildx v{version} x\n", code=0 if version else 1
    )
    seen = builds.build_check(shop())

    assert isinstance(seen, Missing)
    assert seen.reason == f"`docker buildx build --check` needs buildx 0.15; here is {has}."


def test_check(shop, recorder):
    """A newer one is asked, and its answer kept whatever its code."""
    recorder.answer("buildx version", output="github.com/docker/buildx v0.29.1 x\n")
    recorder.answer("buildx build --check", output="WARNING: JSONArgsRecommended\n", code=1)
    seen = builds.build_check(shop())

    assert (seen.code, seen.output) == (1, "WARNING: JSONArgsRecommended")


def test_base(recorder):
    """The base is told as the engine has it: its manifest's digest where there is one, its layers, who made it."""
    daemon = FakeDaemon(recorder)
    daemon.image = {
        BASE: image(digests=(f"python@{'sha256:2'}",), diff_ids=("one", "two")),
        "dockyard.local/x:1": image(),
    }.get
    engine = Engine(recorder.buildx, daemon)
    facts = base_facts(engine, BASE)

    assert (facts.digest, facts.diff_ids, facts.assembled) == ("sha256:2", ("one", "two"), False)
    local = base_facts(engine, "dockyard.local/x:1")
    assert (local.digest, local.assembled) == ("sha256:1", True)
    assert isinstance(base_facts(engine, "gone:1"), Missing)


def test_published(recorder):
    """A registry is asked for the tag of an official base, and not at all for an assembled one."""
    asked = []
    daemon = FakeDaemon(recorder)
    daemon.image = {f"{BASE}@sha256:1": image(), "dockyard.local/x:1": image()}.get
    daemon.published = lambda tag, *, seconds: asked.append(tag) or None
    engine = Engine(recorder.buildx, daemon)

    assert published(engine, base_facts(engine, "dockyard.local/x:1")) == ""
    assert asked == []
    assert isinstance(published(engine, base_facts(engine, f"{BASE}@sha256:1")), Missing)
    assert asked == [BASE]
