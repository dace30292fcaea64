"""What a bundle is made of, and what it is refused for before anything is fetched."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import pytest

from dockyard import bundle
from dockyard.engines.facts import ServerFacts
from dockyard.errors import EngineError, SettingsError
from dockyard.machine import pins
from dockyard.pipeline.bundle import BundleOptions, write_bundle
from dockyard.pipeline.need import platform_of
from support import BASE, FakeDaemon, image, sentences
from unit.bundle import made
from unit.machine.test_pins import DIGEST, OTHER, PIN


class Served(FakeDaemon):
    """An engine that tells what it is."""

    architecture = "x86_64"

    def server(self):
        return ServerFacts(version="26.1.5", containerd_store=True, architecture=self.architecture, data_root="/d")

    def save(self, _):
        yield b"no image"


@pytest.fixture
def project(project):
    """A project with a lock and a Dockerfile that takes wheels."""
    (project / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM scratch AS wheels\nFROM ${BASE_IMAGE}\n")
    (project / made.LOCK).write_text(made.TEXT)
    return project


@pytest.fixture
def ready(opened, recorder):
    """Open the project on an engine that has one base."""
    return lambda **changed: opened(daemon=Served(recorder, images=[BASE]), **changed)


@pytest.fixture
def fetched(monkeypatch):
    """Stop where wheels would be fetched, and keep for which Pythons."""
    asked = []

    class ReachedError(Exception):
        pass

    def fetch(_, python, base, target, *given):
        asked.append((python, base.reference, sorted(path.name for path in target.parent.iterdir())))
        raise ReachedError

    monkeypatch.setattr(bundle.Fetching, "fetch", fetch)
    monkeypatch.setattr("dockyard.bundle.images._configurations", lambda _: [])
    return asked, ReachedError


def test_left_out(ready, fetched, tmp_path, capsys):
    """A Python of the matrix that has no base is left out, and said; the others are fetched for."""
    asked, reached = fetched
    with pytest.raises(reached):
        write_bundle(ready(pythons=("3.12", "3.13")), BundleOptions(output=tmp_path / "b.tar"))
    ((python, base, staged),) = asked
    assert (python, base) == ("3.12", BASE)
    assert "images" in staged
    assert "Python 3.13 is left out. " in capsys.readouterr().err
    assert not list(tmp_path.glob("*b.tar*"))


@pytest.mark.parametrize(("changed", "asked"), [({}, ("3.13",)), ({"python": "3.13", "pythons": ("3.12", "3.13")}, ())])
def test_asked_for(ready, tmp_path, changed, asked):
    """A Python that was asked for by name, or that of the image itself, is never left out: there is no bundle then."""
    with pytest.raises(EngineError, match=r"3\.13"):
        write_bundle(ready(**changed), BundleOptions(output=tmp_path / "b.tar", pythons=asked))
    assert not list(tmp_path.glob("*b.tar*"))


@pytest.mark.parametrize(
    ("changed", "output", "told"),
    [
        ({"build__platforms": ("linux/amd64", "linux/arm64")}, "b.tar", "A bundle is of one platform."),
        ({}, "none/b.tar", "--output none/b.tar is not possible."),
        ({}, ".", "--output . is not possible."),
        ({"bundle__locks": ("none.txt",)}, "b.tar", "The lock none.txt cannot be read."),
    ],
)
def test_refused(ready, recorder, project, monkeypatch, changed, output, told):
    """What cannot become a bundle is refused before an image is touched."""
    monkeypatch.chdir(project)
    with pytest.raises(SettingsError) as caught:
        write_bundle(ready(**changed), BundleOptions(output=type(project)(output)))
    assert caught.value.what == told
    assert recorder.calls == []


def test_named_by_digest(ready, fetched, project, recorder, tmp_path):
    """An image that is named by digest is saved, by a tag that it has only for that."""
    _, reached = fetched
    named = f"busybox@sha256:{'a' * 64}"
    (project / "Dockerfile").write_text(f"FROM {BASE}\nCOPY --from={named} /bin/sh /\n")
    project = ready()
    known = {BASE: image(), named: image()}
    project.engine.daemon.image = known.get
    with pytest.raises(reached):
        write_bundle(project, BundleOptions(output=tmp_path / "b.tar"))
    assert recorder.calls[0] == ["image", "tag", named, bundle.name_of_loaded(named)]


@pytest.mark.parametrize("named", [f"docker.io/library/{BASE}", BASE])
def test_base_by_its_name(opened, recorder, fetched, project, tmp_path, named):
    """The base that was found stands in the place of its name, as in a build: that image is not looked for."""
    asked, reached = fetched
    assembled = f"dockyard.local/{BASE}"
    (project / "Dockerfile").write_text(f"FROM {named}\n")
    with pytest.raises(reached):
        write_bundle(opened(daemon=Served(recorder, images=[assembled])), BundleOptions(output=tmp_path / "b.tar"))
    assert asked[0][1] == assembled
    assert [call for call in recorder.calls if "pull" in call and assembled not in call] == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [({}, "linux/amd64"), ({"build__platforms": ("linux/arm64",)}, "linux/arm64")],
)
def test_platform(ready, changed, told):
    """A bundle is for what is built: the platform that was asked for, or else the engine's."""
    assert platform_of(ready(**changed)) == told


@pytest.fixture
def written(monkeypatch):
    """Let wheels come as if they had been fetched, and no image be read."""

    def fetch(_, python, base, target, *given):
        for name, content in made.WHEELS.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(target / name, "w") as archive:
                stem = "-".join(name.removeprefix("wheels/").split("-")[:2])
                archive.writestr(f"{stem}.dist-info/METADATA", content)
        return bundle.Fetched(
            wheels=tuple(sorted((target / "wheels").iterdir())), toolkit=(), environment=made.ENVIRONMENT
        )

    monkeypatch.setattr(bundle.Fetching, "fetch", fetch)
    monkeypatch.setattr("dockyard.bundle.images._configurations", lambda _: [])
    monkeypatch.setattr("dockyard.pipeline.bundle.image.read", lambda *_, **__: None)
    monkeypatch.setattr("dockyard.pipeline.bundle.sbom.bill", lambda *_: None)
    monkeypatch.setattr("dockyard.pipeline.bundle.sbom.written", lambda _: "{}")


def test_written(ready, written, tmp_path):
    """What was gathered is one bundle that verifies: image, wheels, locks, lists, and what belongs to which Python."""
    target = tmp_path / "b.tar"
    told = write_bundle(ready(), BundleOptions(output=target))
    manifest = bundle.verify(target).manifest
    assert manifest == told.manifest
    assert {each.name for each in manifest.members} == {
        "images/python_3.12-slim-bookworm.tar",
        *made.WHEELS,
        f"locks/{made.LOCK}",
        "sbom/python_3.12-slim-bookworm.cdx.json",
        "sbom/wheels.cdx.json",
    }
    (only,) = manifest.pythons
    assert (only.python, only.base, only.wheels) == ("3.12", BASE, tuple(made.WHEELS))
    assert [path.name for path in tmp_path.glob("*b.tar*")] == ["b.tar"]


def test_what_no_bundle_holds(ready, written, project, tmp_path, capsys):
    """What an offline build will lack is said where there is still a network."""
    (project / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nADD https://host/file /x\n")
    write_bundle(ready(), BundleOptions(output=tmp_path / "b.tar"))
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("An offline build will lack ")]
    assert "An offline build will lack https://host/file (Dockerfile:3, ADD)." in told
    assert any("a stage `wheels` in Dockerfile" in line for line in told)


def test_loose(ready, written, project, tmp_path, capsys):
    """What is installed without hashes is said, and so is what nobody can say, once for all Pythons."""
    with (project / "Dockerfile").open("a") as file:
        file.write("RUN pip install alpha\nRUN uv sync\n")
    write_bundle(ready(), BundleOptions(output=tmp_path / "b.tar"))
    told = capsys.readouterr().err
    assert "`pip install alpha` (Dockerfile:4) installs without hashes: the bundle has what the index gave now." in told
    assert "Nobody can say what `uv sync` (Dockerfile:5) installs: only what pip" in told


def test_old_signature(ready, written, tmp_path, capsys):
    """The signature of a bundle that had this name fits the new one no more: it goes, and that is said."""
    old = tmp_path / "b.tar.sig"
    old.write_text("of another")
    write_bundle(ready(), BundleOptions(output=tmp_path / "b.tar"))
    assert not old.exists()
    assert "b.tar.sig was of the bundle that was here before; it is removed." in capsys.readouterr().err


TOOLS, PINNED = "tools:1", f"tools:1@{DIGEST}"


@pytest.fixture
def pinning(opened, recorder, project):
    """Open the project on an engine with these images, by name and id, one of which is pinned."""
    (project / "Dockerfile").write_text(f"ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\nCOPY --from={TOOLS} /a /a\n")
    pins.write(project / "requirements/bases.toml", [replace(PIN, reference=TOOLS, pinned=pins.today())])

    def pinning(**there):
        known = {BASE: "base", **{{"tag": TOOLS, "digest": PINNED}[name]: each for name, each in there.items()}}

        class Tagged(Served):
            def image(self, reference):
                tagged = {call[3]: known[call[2]] for call in recorder.calls if call[:2] == ["image", "tag"]}
                found = {**known, **tagged}.get(reference)
                digests = (f"{reference.partition('@')[0]}@{DIGEST if found == 'pinned' else OTHER}",)
                return found and image(id=found, tags=(reference,), digests=digests)

        return opened(daemon=Tagged(recorder))

    return pinning


def test_pinned_gets_its_tag(pinning, fetched, recorder, tmp_path):
    """A pinned image that the engine knows by digest alone gets the tag by which an offline build will look for it."""
    _, reached = fetched
    with pytest.raises(reached):
        write_bundle(pinning(digest="pinned"), BundleOptions(output=tmp_path / "b.tar"))
    assert ["image", "tag", PINNED, TOOLS] in recorder.calls


def test_other_than_pinned(pinning, fetched, recorder, tmp_path):
    """Where another image has the tag it is not taken for the pinned one, and keeps its tag."""
    with pytest.raises(EngineError) as caught:
        write_bundle(pinning(digest="pinned", tag="other"), BundleOptions(output=tmp_path / "b.tar"))
    what, _, todo = sentences(caught.value)
    assert what == f"{TOOLS} (COPY --from) cannot go into a bundle as it is pinned."
    assert f"`docker tag {PINNED} {TOOLS}`" in todo
    assert [call for call in recorder.calls if "tag" in call] == []
