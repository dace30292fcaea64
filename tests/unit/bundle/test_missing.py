"""Everything that an offline build lacks is said at once, by name."""

from __future__ import annotations

import pytest

from dockyard import bundle
from dockyard.dockerfile import parse

from . import made
from .made import BASE, OTHER, WHEELS, pin

DOCKERFILE = "FROM scratch AS wheels\nFROM {base}\nRUN --mount=type=bind,from=wheels,target=/w pip install\n{more}"


@pytest.fixture
def lacking(tmp_path):
    """Return what is missing for a Dockerfile and a lock."""
    manifest = made.manifest(bundle.staged(made.stage(tmp_path)))

    def lacking(
        *, text=made.TEXT, python="3.12", platform="linux/amd64", base=BASE, more="", dockerfile=DOCKERFILE, **more_of
    ):
        tree = parse(dockerfile.format(base=base, more=more))
        need = bundle.Need(
            python=python,
            platform=platform,
            dockerfile=tree,
            target=tree.final,
            locks=(bundle.Lock(name=made.LOCK, text=text),),
            **more_of,
        )
        return list(bundle.missing(manifest, need))

    return lacking


def test_nothing(lacking):
    """A bundle that was made for these sources lacks nothing, whatever the marker of a Python leaves out."""
    assert lacking() == []
    assert lacking(python="3.13", base=OTHER) == []


def test_all_at_once(lacking):
    """Wheels, images, files of the web and a wrong platform are listed together."""
    told = lacking(
        text=made.TEXT + pin("gamma", "1", b"x") + pin("delta", "2", b"y", marker="sys_platform == 'win32'"),
        platform="linux/arm64",
        more="COPY --from=busybox:1 /bin/sh /\nADD https://host/file a.txt /x/\nRUN --network=host true\n",
    )
    assert told == [
        "everything for linux/arm64: the bundle is for linux/amd64",
        "wheel gamma 1 for Python 3.12 (lock.txt:5; the lock changed since the bundle)",
        "image busybox:1 (Dockerfile:4, COPY --from)",
        "https://host/file (Dockerfile:5, ADD)",
        "the host's network (Dockerfile:6, RUN --network=host)",
    ]


def test_another_version(lacking):
    """A wheel of another version is no wheel of what the lock wants."""
    text = made.TEXT.replace("alpha==1.0", "alpha==1.1")
    assert lacking(text=text) == ["wheel alpha 1.1 for Python 3.12 (lock.txt:1; the lock changed since the bundle)"]
    assert lacking(text=made.TEXT.replace("alpha==1.0", "Alpha==1")) == []


def test_another_hash(lacking):
    """A wheel that the lock no longer knows by its hash would be refused by the installer, and so is missing."""
    told = lacking(text=made.TEXT.replace(made.digest(WHEELS[made.ALPHA]), "0" * 64))
    assert told == ["wheel alpha 1.0 for Python 3.12 (lock.txt:1; the lock changed since the bundle)"]


def test_python_without_base(lacking):
    """A Python that was left out is told with the reason; what its wheels would be, nobody can say."""
    assert lacking(python="3.14") == [
        "base and wheels for Python 3.14: the bundle has 3.12, 3.13; left out: There is no base image for Python 3.14."
    ]


def test_no_stage_for_the_wheels(lacking):
    """A Dockerfile that has no place for the wheels is told so before its installer looks for an index."""
    told = lacking(dockerfile="FROM {base}\nRUN pip install\n{more}")
    assert told == ["a stage `wheels` in Dockerfile, which the bundle's wheels could take the place of"]


def test_loose(lacking):
    """What is installed without a lock is missing if no wheel would do, and needs a place for the wheels as well."""
    loose = (bundle.Loose(command="pip install", place="Dockerfile:3", lines=("alpha", "gamma>1")),)
    assert lacking(loose=loose) == ["wheel gamma>1 for Python 3.12 (Dockerfile:3)"]
    told = lacking(loose=loose, text="", dockerfile="FROM {base}\nRUN pip install\n{more}")
    assert told[1:] == ["a stage `wheels` in Dockerfile, which the bundle's wheels could take the place of"]


def test_in_its_place(lacking):
    """An image that the bundle has under another name is there."""
    assert lacking(base="own:1") == ["image own:1 (Dockerfile:2, FROM)"]
    assert lacking(base="own:1", images={"own:1": BASE}) == []


def test_other_stages_do_not_count(lacking):
    """What only a stage asks for that is not built is not missing."""
    before = "FROM busybox:1 AS unused\nADD https://host/file /x\n"
    assert lacking(dockerfile=before + DOCKERFILE) == []


def test_frontend(lacking):
    """A frontend that the Dockerfile asks for is an image like any other."""
    told = lacking(dockerfile="# syntax=docker/dockerfile:1\n" + DOCKERFILE)
    assert told == ["image docker/dockerfile:1 (Dockerfile:1, # syntax)"]


def test_changed(tmp_path):
    """A lock counts as changed if any of its bytes did, and one that is new as well."""
    manifest = made.manifest(bundle.staged(made.stage(tmp_path)))
    same, other = bundle.Lock(name=made.LOCK, text=made.TEXT), bundle.Lock(name=made.LOCK, text=made.TEXT + "# x\n")
    new = bundle.Lock(name="new.txt", text=made.TEXT)
    assert list(bundle.changed(manifest, (same, other, new))) == [other, new]
