from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace

import pytest

from dockyard.errors import EngineError
from dockyard.machine import search
from dockyard.machine.search import Search
from unit.machine.conftest import facts

PLAIN = "python:3.12-slim-bookworm"
OWN = f"dockyard.local/{PLAIN}"
MIRROR = "registry.example/hub"
ASSEMBLED = {"dev_dockyard_base": "assembled"}


@pytest.fixture
def seeker(wanted, doors) -> Search:
    """A search on an engine without images, with a registry that has none."""
    return Search(wanted=wanted, engine=doors, environment={})


@pytest.fixture
def mirrored(seeker, wanted) -> Search:
    """The same with a mirror."""
    return replace(seeker, wanted=replace(wanted, mirror=f"{MIRROR}/"))


@pytest.mark.parametrize(
    ("reference", "registry"),
    [
        (PLAIN, "the public registry"),
        ("team/python:3", "the public registry"),
        ("registry.example/python:3", "registry.example"),
        ("localhost/python", "localhost"),
        ("host:5000/python", "host:5000"),
    ],
)
def test_registry(reference, registry):
    """A reference's first part is a registry if it has a point or a port."""
    assert search.registry_of(reference) == registry


@pytest.mark.parametrize(
    ("reference", "mirror", "names"),
    [
        (PLAIN, None, (PLAIN,)),
        (PLAIN, MIRROR, (f"{MIRROR}/{PLAIN}", f"{MIRROR}/library/{PLAIN}")),
        ("team/python:3", MIRROR, (f"{MIRROR}/team/python:3",)),
        ("other.example/python:3", MIRROR, ("other.example/python:3",)),
    ],
)
def test_published_as(reference, mirror, names):
    """A mirror stands in for the public registry alone, and may keep the official images below `library/`."""
    assert search.published_as(reference, mirror) == names


@pytest.mark.parametrize(
    ("reference", "labels", "official"),
    [
        (PLAIN, {}, True),
        (f"{MIRROR}/{PLAIN}", {}, True),
        (OWN, ASSEMBLED, False),
        (PLAIN, ASSEMBLED, False),
        (OWN, {}, False),
    ],
)
def test_official(reference, labels, official):
    """An assembled base never passes for the official one: its label tells under any name, and its name without it."""
    assert search.is_official(reference, facts(reference, **labels)) == official


def test_pinned(seeker, mirrored, doors):
    """An official base is built on by digest; what was assembled, or may have come by another name, by its name."""
    digests = ("python@sha256:d",)
    doors.daemon.there[PLAIN] = replace(facts(PLAIN), digests=digests)
    doors.daemon.there[OWN] = replace(facts(OWN, **ASSEMBLED), digests=digests)

    assert seeker.local("3.12", official=True).pinned == f"{PLAIN}@sha256:d"
    assert mirrored.local("3.12", official=True).pinned == PLAIN
    assert seeker.local("3.12", official=False).pinned == OWN


def test_local(seeker, doors):
    """What the engine has is told apart, official and assembled."""
    assert seeker.local("3.12", official=True) is None
    assert seeker.local("3.12", official=False) is None

    doors.daemon.there[OWN] = facts(OWN, **ASSEMBLED)
    assert seeker.local("3.12", official=True) is None
    assert seeker.local("3.12", official=False).reference == OWN

    doors.daemon.there[PLAIN] = facts(PLAIN)
    base = seeker.local("3.12", official=True)
    assert (base.reference, base.official, base.digest) == (PLAIN, True, "sha256:2")
    assert doors.daemon.asked == []


def test_digest(seeker, doors):
    """An image that no registry knows is told by its id."""
    doors.daemon.there[PLAIN] = replace(facts(PLAIN), digests=())

    assert seeker.local("3.12", official=True).digest == "sha256:1"


def test_pulled(seeker, doors):
    """An image that the registry has is pulled."""
    doors.daemon.registry[PLAIN] = "sha256:2"

    base = seeker.pulled("3.12", [])

    assert (base.reference, base.official, base.how) == (PLAIN, True, "pulled from the public registry")
    assert doors.buildx.calls == [("pull", PLAIN)]


def test_mirror(mirrored, doors):
    """A mirror is asked in place of the public registry, and the image gets its plain name too."""
    hidden = f"{MIRROR}/library/{PLAIN}"
    doors.daemon.registry = {hidden: "sha256:2", PLAIN: "sha256:2"}

    base = mirrored.pulled("3.12", [])

    assert doors.daemon.asked == [f"{MIRROR}/{PLAIN}", hidden]
    assert doors.buildx.calls == [("pull", hidden), ("tag", hidden, PLAIN)]
    assert (base.reference, base.how) == (PLAIN, "pulled from registry.example")


def test_assembled_elsewhere(mirrored, doors, monkeypatch):
    """An assembled base that someone pushed to the mirror is used as such, and does not get the plain name."""
    name = f"{MIRROR}/{PLAIN}"
    doors.daemon.registry[name] = "sha256:2"
    monkeypatch.setattr(
        doors.buildx, "pull", lambda reference: doors.daemon.there.update({name: facts(name, **ASSEMBLED)})
    )

    base = mirrored.pulled("3.12", [])

    assert (base.reference, base.official) == (name, False)
    assert doors.buildx.calls == []


def test_not_there(seeker, doors):
    """A registry that answers and has it not is asked again for the next Python."""
    reasons: list[str] = []

    assert seeker.pulled("3.12", reasons) is None
    assert seeker.pulled("3.13", reasons) is None
    assert reasons == [f"There is no {PLAIN}.", "There is no python:3.13-slim-bookworm."]


def test_silent_registry(mirrored, doors):
    """A registry that does not answer is asked once, not once for every Python and every name."""
    doors.daemon.registry[f"{MIRROR}/{PLAIN}"] = EngineError("It was asked.", "no such host", "Look.")
    reasons: list[str] = []

    for python in ("3.12", "3.13", "3.14"):
        assert mirrored.pulled(python, reasons) is None

    assert doors.daemon.asked == [f"{MIRROR}/{PLAIN}"]
    assert set(reasons) == {"Asking registry.example failed (no such host)."}
    assert doors.buildx.calls == []


def save(path, *references: str) -> None:
    """Write the part of a saved image that is read."""
    content = json.dumps([{"RepoTags": [reference]} for reference in references]).encode()
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))


@pytest.fixture
def folder(tmp_path):
    """A folder of saved images."""
    folder = tmp_path / "archives"
    folder.mkdir()
    return folder


@pytest.fixture
def stocked(seeker, wanted, folder) -> Search:
    """A search that may load from that folder."""
    return replace(seeker, wanted=replace(wanted, archives=folder))


@pytest.mark.parametrize(
    ("saved", "name"), [(PLAIN, "a.tar"), (f"docker.io/library/{PLAIN}", "a.tar"), (PLAIN, "a.tar.gz")]
)
def test_loaded(stocked, doors, folder, saved, name):
    """A saved image is loaded if it has the name that is wanted, as old and new engines write it."""
    save(folder / "0.tar", "python:3.11-slim-bookworm")
    save(folder / name, "other:1", saved)
    doors.buildx.loads = (facts(PLAIN),)

    base = stocked.loaded("3.12", [])

    assert doors.buildx.calls == [("load", name)]
    assert (base.reference, base.official) == (PLAIN, True)
    assert base.how == f"loaded from {folder / name}"


def test_assembled_and_saved(stocked, doors, folder):
    """A base that was assembled elsewhere and saved is loaded as what it is."""
    save(folder / "a.tar", OWN)
    doors.buildx.loads = (facts(OWN, **ASSEMBLED),)

    base = stocked.loaded("3.12", [])

    assert (base.reference, base.official) == (OWN, False)
    assert "not the official image" in base.how


@pytest.mark.parametrize("content", [b"", b"rubbish" * 99], ids=["empty", "rubbish"])
def test_damaged(stocked, doors, folder, content):
    """A damaged archive is named and passed over; the next one serves."""
    (folder / "a.tar").write_bytes(content)
    with tarfile.open(folder / "b.tar", "w"):
        pass
    save(folder / "c.tar", PLAIN)
    doors.buildx.loads = (facts(PLAIN),)
    reasons: list[str] = []

    assert stocked.loaded("3.12", reasons)
    assert [reason.partition(" is no saved image")[0] for reason in reasons] == [
        str(folder / "a.tar"),
        str(folder / "b.tar"),
    ]


def test_load_fails(stocked, doors, folder, monkeypatch):
    """An archive that the engine refuses is passed over with the engine's reason."""
    save(folder / "a.tar", PLAIN)

    def load(path):
        raise EngineError("It could not be loaded.", "no space left on device", "Make room.")

    monkeypatch.setattr(doors.buildx, "load", load)
    reasons: list[str] = []

    assert stocked.loaded("3.12", reasons) is None
    assert reasons == [f"{folder / 'a.tar'} cannot be loaded (no space left on device)."]


def test_no_folder(seeker, doors):
    """Without a folder of saved images there is nothing to load."""
    assert seeker.loaded("3.12", []) is None
    assert doors.buildx.calls == []
