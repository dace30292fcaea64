from __future__ import annotations

import json
import stat
import tarfile
from pathlib import Path

import pytest

from dockyard import pipeline
from dockyard.build import build
from dockyard.errors import BuildError, EngineError, SettingsError
from dockyard.pipeline import BuildOptions, build_arguments, build_image
from dockyard.pipeline.image import build_secrets, planned
from support import BASE, SECRET, FakeDaemon, chain, recorded, sentences

ASSEMBLED = f"dockyard.local/{BASE}"
INDEX = f"https://user:{SECRET}@index.example.org/simple"


@pytest.fixture
def seen(monkeypatch):
    """The secrets of each build: id to path, mode and content while it ran."""
    builds = []

    def looking(plan, **given):
        builds.append(
            {name: (path, stat.S_IMODE(path.stat().st_mode), path.read_text()) for name, path in plan.secrets.items()}
        )
        return build(plan, **given)

    monkeypatch.setattr(pipeline.image.build, "build", looking)
    return builds


@pytest.fixture
def bundle(project, monkeypatch):
    """A CA bundle that this machine is set up with."""
    path = project / "ca.pem"
    path.write_text("PEM")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def builds(recorder) -> list[list[str]]:
    """The builds that docker was asked for."""
    return [call for call in recorder.calls if call[:2] == ["buildx", "build"]]


def test_build(opened, recorder, capsys):
    """The image of the settings is built on its base, its record kept, and its summary noted."""
    project = opened()
    record = build_image(project)

    (call,) = builds(recorder)
    assert f"BASE_IMAGE={BASE}" in call
    assert "tiny-service:prod" in call
    assert len(project.state.records("builds")) == 1
    assert record.tags == ("tiny-service:prod", "tiny-service:1.2.3-py3.12")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tiny-service:prod built in ")


def test_progress(opened, recorder, capsys):
    """Each step is shown as it ends."""
    recorder.answer("buildx build", error=recorded("buildkit/built.txt"))
    build_image(opened(), progress="plain")

    assert "[builder 2/2] RUN printf" in capsys.readouterr().err


def test_options(opened, recorder):
    """How a build is asked for arrives at docker."""
    build_image(opened(quiet=True), BuildOptions(prod=False, stage="builder", cache=False, pull=True))

    (call,) = builds(recorder)
    assert {"--no-cache", "--pull"} <= set(call)
    assert call[call.index("--target") + 1] == "builder"
    assert "tiny-service:prod" not in call


def test_assembled_base(opened, recorder, capsys):
    """A base that was assembled here is said to be, in one line before the build."""
    build_image(opened(images=[ASSEMBLED]))

    assert ["buildx", "inspect"] in [each["call"] for each in recorder.told]
    assert f"BASE_IMAGE={ASSEMBLED}" in builds(recorder)[0]
    first = capsys.readouterr().err.splitlines()[0]
    assert first == f"Base: {ASSEMBLED}, assembled on this machine; not the official image."


@pytest.mark.parametrize("driver", ["docker", "remote"])
def test_out_of_reach(opened, recorder, driver):
    """An assembled base that the build could not have is refused before it begins."""
    recorder.lay_builder(driver)

    with pytest.raises(SettingsError) as caught:
        build_image(opened(images=[ASSEMBLED], build__platforms=["linux/arm64"]))

    assert sentences(caught.value)[0] == "The image cannot be built for linux/arm64."
    assert builds(recorder) == []


@pytest.mark.parametrize("driver", ["docker-container", "kubernetes", "remote"])
def test_lent_base(opened, recorder, saved, driver):
    """A builder that cannot see an assembled base gets it as a layout, which is there for as long as it builds."""
    recorder.lay_builder(driver)
    with planned(opened(images=[ASSEMBLED])) as asked:
        where = asked.lent[ASSEMBLED]
        layout = Path(where.removeprefix("oci-layout://").removesuffix("@sha256:own"))
        assert (layout / "index.json").is_file()
    assert not layout.exists()

    build_image(opened(images=[ASSEMBLED]))
    (call,) = builds(recorder)
    assert call[call.index("--build-context") + 1].startswith(f"{ASSEMBLED}=oci-layout:///")
    assert call[call.index("--build-context") + 1].endswith("@sha256:own")


@pytest.mark.parametrize(
    ("driver", "base", "changed"),
    [
        ("docker", ASSEMBLED, {}),
        ("remote", f"{BASE}@sha256:1", {}),
        ("remote", BASE, {"build__platforms": ["linux/amd64", "linux/arm64"]}),
    ],
    ids=["own store", "known by digest", "other platforms"],
)
def test_nothing_lent(opened, recorder, saved, driver, base, changed):
    """What the builder sees is not sent to it, nor what it can pull, nor what the engine has for one platform alone."""
    recorder.lay_builder(driver)
    with planned(opened(images=[base], build__base=base.replace("3.12", "{python}"), **changed)) as asked:
        assert asked.lent == {}
    assert saved == []


def test_loaded_base(opened, recorder, saved):
    """An official base that no registry is known to have by its digest is lent: no tag is taken for it."""
    recorder.lay_builder("remote")
    with planned(opened(images=[BASE])) as asked:
        assert list(asked.lent) == [BASE]


def test_no_builder(opened, recorder):
    """A builder that is not there is refused before anything is built, and the Dockerfile is not blamed."""
    recorder.answer("buildx inspect", error='ERROR: no builder "nope" found\n', code=1)
    with pytest.raises(EngineError) as caught:
        build_image(opened(build__builder="nope"))

    assert sentences(caught.value)[0] == "The builder nope could not be asked."
    assert builds(recorder) == []


def test_lent_to_nobody(opened, recorder, saved):
    """A plan that is only looked at says what would be lent, and copies nothing."""
    recorder.lay_builder("remote")
    with planned(opened(images=[ASSEMBLED]), builds=False) as asked:
        assert asked.lent == {ASSEMBLED: ""}
    assert saved == []


def test_cannot_be_lent(opened, recorder, monkeypatch, tmp_path):
    """An engine that saves no layouts lends nothing, and says so before anything is built."""
    recorder.lay_builder("remote")
    with tarfile.open(tmp_path / "saved.tar", "w") as archive:
        archive.add(__file__, "manifest.json")
    monkeypatch.setattr(FakeDaemon, "save", lambda *_: iter([(tmp_path / "saved.tar").read_bytes()]))
    with pytest.raises(EngineError) as caught:
        build_image(opened(images=[ASSEMBLED]))

    what, why, todo = sentences(caught.value)
    assert what == f"{ASSEMBLED} cannot be lent to the builder."
    assert "Docker 25" in why
    assert "--builder default" in todo
    assert builds(recorder) == []


def test_no_base(opened, recorder, monkeypatch):
    """Without a base nothing is built, and the error says how to get one."""
    project = opened(images=())
    monkeypatch.setattr(type(project.engine.daemon), "published", lambda *_, **__: None, raising=False)

    with pytest.raises(EngineError) as caught:
        build_image(project)

    what, _, todo = sentences(caught.value)
    assert what == "There is no base image for Python 3.12."
    assert "invoke setup --python 3.12" in todo
    assert builds(recorder) == []


def test_secrets(opened, recorder, seen, bundle, monkeypatch):
    """The CA bundle and the index reach the build as files that others cannot read; the index is in no argument."""
    monkeypatch.setenv("PIP_INDEX_URL", INDEX)
    build_image(opened(quiet=True))

    ((path, mode, content),) = [seen[0].pop("index_url")]
    assert (mode & 0o077, content) == (0, INDEX)
    assert seen == [{"ca": (bundle, stat.S_IMODE(bundle.stat().st_mode), "PEM")}]
    assert not path.parent.exists()
    assert bundle.exists()
    assert SECRET not in json.dumps(recorder.calls)


def test_planned(opened, recorder, monkeypatch):
    """The build that would be made can be had without making it; its secret files last as long as the block."""
    monkeypatch.setenv("PIP_INDEX_URL", INDEX)
    with planned(opened(quiet=True), BuildOptions(cache=False)) as asked:
        assert (asked.base, asked.tags[0], asked.cache) == (BASE, "tiny-service:prod", False)
        assert asked.secrets["index_url"].read_text() == INDEX

    assert not asked.secrets["index_url"].exists()
    assert builds(recorder) == []


def test_planned_marks(opened, bundle):
    """Only where the setting asks for it does a build have marks; one that is reproducible has none."""
    for setting, options, ids in (
        (False, BuildOptions(), []),
        (True, BuildOptions(), ["ca"]),
        (True, BuildOptions(reproducible=True), []),
    ):
        with planned(opened(build__secrets_rebuild=setting, quiet=True), options) as asked:
            assert sorted(asked.marks) == ids


def test_failed_build(opened, recorder, seen, monkeypatch):
    """The file with the index goes when the build fails, too, and the error does not hold it."""
    monkeypatch.setenv("PIP_INDEX_URL", INDEX)
    recorder.answer("buildx build", error="ERROR: no\n", code=1)

    with pytest.raises(BuildError) as caught:
        build_image(opened(quiet=True))

    assert not seen[0]["index_url"][0].parent.exists()
    assert SECRET not in chain(caught.value)


def test_no_secrets(opened, monkeypatch):
    """On an open network a build gets no secret."""
    monkeypatch.setattr(pipeline.image.machine.corporate, "pip_configuration", lambda *_: {})
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)

    with build_secrets(opened()) as mounts:
        assert mounts == {}


def test_arguments(monkeypatch):
    """NAME=value is taken as it is, with its equals signs; NAME alone takes the environment's."""
    monkeypatch.setenv("FROM_HERE", "x")

    assert build_arguments(["ONE=1", "TWO=a=b", "THREE=", "FROM_HERE"]) == {
        "build.args.ONE": "1",
        "build.args.TWO": "a=b",
        "build.args.THREE": "",
        "build.args.FROM_HERE": "x",
    }
    assert build_arguments([]) == {}


@pytest.mark.parametrize("pair", ["=1", "", "NOT_IN_ENVIRONMENT"])
def test_bad_argument(pair):
    """A pair without a name or a value is refused."""
    with pytest.raises(SettingsError) as caught:
        build_arguments([pair])

    assert sentences(caught.value)[0] == f"--build-arg {pair} says nothing."


def test_empty_argument(opened, recorder):
    """An argument that was given empty reaches the build empty."""
    build_image(opened(quiet=True, **build_arguments(["ONE="])))

    assert "ONE=" in builds(recorder)[0]
