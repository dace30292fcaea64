"""A build from a bundle: what is asked of docker, and what is said before anything is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard import bundle
from dockyard.errors import BuildError, EngineError
from dockyard.pipeline.offline import build_offline
from support import BASE
from unit.bundle import made
from unit.pipeline.test_bundle import Served

DOCKERFILE = """\
ARG BASE_IMAGE
FROM scratch AS wheels
FROM ${BASE_IMAGE}
RUN --mount=type=bind,from=wheels,target=/w pip install
"""


@pytest.fixture
def archive(tmp_path):
    """A bundle whose base the fake engine has."""
    path = tmp_path / "bundle.tar"
    with bundle.staging(path) as folder:
        manifest = made.manifest(bundle.staged(made.stage(folder)))
        images = tuple(replace(each, ids=("sha256:1",)) for each in manifest.images)
        bundle.write(folder, replace(manifest, images=images), path)
    return path


@pytest.fixture
def ready(opened, project, recorder):
    """Open the project, with its sources as they were for the bundle, on an engine that has some images."""
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / made.LOCK).write_text(made.TEXT)
    return lambda *images, **changed: opened(daemon=Served(recorder, images=images or [BASE]), **changed)


@pytest.fixture
def seen(recorder, monkeypatch):
    """The wheels that a build finds in its folder."""
    found = []
    real = recorder.buildx.build

    def build(context, **options):
        folder = options["build_contexts"]["wheels"]
        found.extend(sorted(path.name for path in folder.iterdir()))
        return real(context, **options)

    monkeypatch.setattr(recorder.buildx, "build", build)
    return found


def test_build(ready, archive, recorder, seen, capsys):
    """Every step is cut off, the base is the bundle's by name, and the folder has the wheels of this Python alone."""
    build_offline(ready(), archive, progress="quiet")
    (call,) = recorder.builds
    assert call[call.index("--network") + 1] == "none"
    assert f"BASE_IMAGE={BASE}" in call
    assert "org.opencontainers.image.base.digest=sha256:registry" in call
    assert "rewrite-timestamp=true" in " ".join(call), "it is a reproducible build"
    assert "--pull" not in call
    assert [f"wheels/{name}" for name in seen] == sorted(made.WHEELS)
    assert not [call for call in recorder.calls if "pull" in call]
    assert "2 wheels for Python 3.12" in capsys.readouterr().err


def test_wheels_of_one_python(ready, archive, seen):
    """A build gets the wheels of its own Python."""
    build_offline(ready(made.OTHER, python="3.13"), archive, progress="quiet")
    assert [f"wheels/{name}" for name in seen] == [made.ALPHA]


def test_named_by_digest(ready, recorder, project, tmp_path):
    """What the Dockerfile names by digest, its frontend too, is taken by the tag that it was loaded with."""
    frontend, tools = (f"{name}@sha256:{'a' * 64}" for name in ("frontend:1", "tools:1"))
    path = tmp_path / "bundle.tar"
    with bundle.staging(path) as folder:
        manifest = made.manifest(bundle.staged(made.stage(folder)))
        (base, *others) = (replace(each, ids=("sha256:1",)) for each in manifest.images)
        images = (base, *others, replace(base, reference=frontend), replace(base, reference=tools))
        pythons = (replace(manifest.pythons[0], images=(base.reference, frontend, tools)), *manifest.pythons[1:])
        bundle.write(folder, replace(manifest, images=images, pythons=pythons), path)
    opened = ready(BASE, bundle.name_of_loaded(frontend), bundle.name_of_loaded(tools))
    (project / "Dockerfile").write_text(f"# syntax={frontend}\n{DOCKERFILE}COPY --from={tools} /a /a\n")
    build_offline(opened, path, progress="quiet")
    (call,) = recorder.builds
    assert f"BUILDKIT_SYNTAX={bundle.name_of_loaded(frontend)}" in call
    assert f"{tools}=docker-image://{bundle.name_of_loaded(tools)}" in call


def test_classic_store(ready, archive, recorder, seen, monkeypatch, capsys):
    """Where the engine makes no reproducible builds, it is another build without a network, and that is said."""
    server = Served.server
    monkeypatch.setattr(Served, "server", lambda self: replace(server(self), containerd_store=False))
    build_offline(ready(), archive, progress="quiet")
    (call,) = recorder.builds
    assert call[call.index("--network") + 1] == "none"
    assert "--load" in call
    assert "no reproducible builds" in capsys.readouterr().err


def test_base_that_is_absent(ready, archive, recorder):
    """A base that the engine has not is loaded from the bundle, never pulled; if it does not come, nothing is built."""
    with pytest.raises(EngineError, match="is not what the bundle says"):
        build_offline(ready("other:1"), archive, progress="quiet")
    (call,) = recorder.calls
    assert call[:3] == ["image", "load", "--input"]


def test_missing(ready, archive, recorder, project):
    """All that is missing is one error with exit code 3, before anything is built."""
    (project / made.LOCK).write_text(made.TEXT + made.pin("gamma", "1", b"x"))
    with (project / "Dockerfile").open("a") as file:
        file.write("COPY --from=busybox:1 /bin/sh /\n")
    with pytest.raises(EngineError) as caught:
        build_offline(ready(), archive, progress="quiet")
    assert caught.value.what == "2 things that this build wants cannot be had offline."
    assert caught.value.why.splitlines() == [
        "wheel gamma 1 for Python 3.12 (lock.txt:5; the lock changed since the bundle)",
        "image busybox:1 (Dockerfile:5, COPY --from)",
    ]
    assert recorder.calls == []


def test_changed_lock(ready, archive, recorder, seen, project, capsys):
    """A lock that changed and wants nothing else is said, and built from."""
    (project / made.LOCK).write_text("# why\n" + made.TEXT)
    build_offline(ready(), archive, progress="quiet")
    assert len(recorder.builds) == 1
    assert "lock.txt changed since the bundle; every wheel of it is there." in capsys.readouterr().err


def test_tampered(ready, archive, recorder):
    """A bundle that is refused is not used at all."""
    packed = archive.read_bytes()
    archive.write_bytes(packed.replace(made.FILES[made.ALPHA], made.FILES[made.ALPHA][::-1]))
    with pytest.raises(EngineError, match=made.ALPHA):
        build_offline(ready(), archive, progress="quiet")
    assert recorder.calls == []


def test_replaced_meanwhile(ready, archive, recorder, monkeypatch):
    """A bundle that becomes another one between its two readings is refused."""
    real = bundle.verify

    def verify(path, *into):
        found = real(path, *into)
        return replace(found, digest="0" * 64) if into else found

    monkeypatch.setattr(bundle, "verify", verify)
    with pytest.raises(EngineError, match="was replaced while it was read"):
        build_offline(ready(), archive, progress="quiet")
    assert recorder.calls == []


def test_another_builder(ready, archive, recorder):
    """A builder with a store of its own is refused: it would ask a registry for the base."""
    recorder.lay_builder("docker-container")
    with pytest.raises(EngineError, match="cannot build from a bundle"):
        build_offline(ready(), archive, progress="quiet")
    assert recorder.calls == []


def test_failed_step(ready, archive, recorder):
    """A step that fails is told with what it had not."""
    recorder.answer("buildx build", error="pip: no such index\n", code=1)
    with pytest.raises(BuildError) as caught:
        build_offline(ready(), archive, progress="quiet")
    assert caught.value.why.endswith("No step had a network: what it may have wanted from there is not in the bundle.")
