"""The figures of `invoke size` are those that a container has."""

from __future__ import annotations

import json
import secrets
import subprocess
from typing import TYPE_CHECKING

import pytest

from dockyard import pipeline
from dockyard.engines.process import run
from dockyard.image import read
from dockyard.machine.names import reference_of
from dockyard.pipeline.size import SizeOptions, measure_image
from dockyard.size import keeps, measure
from support import BASE, PROJECT_LABEL

if TYPE_CHECKING:
    from pathlib import Path

OURS = "house-pricing-api:prod"
DOCKERFILE = """
FROM {base}
LABEL {label}={name} org.opencontainers.image.base.name={base}
RUN mkdir /made && head -c 3000000 /dev/urandom > /made/big && ln /made/big /made/link && cp /made/big /made/copy \
 && head -c 700000 /dev/urandom > /made/deleted && head -c 500000 /dev/urandom > /made/replaced && ln -s big /made/soft
RUN rm /made/deleted /made/big && echo new > /made/replaced && chmod 600 /made/copy
"""
# What the engine puts over an image's own.
MOUNTED = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/.dockerenv")
DU = f"""
find / -xdev \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -type f -print0 \
 | grep -zvxE '{"|".join(MOUNTED)}' | du --files0-from=- --bytes --total | tail -n 1
"""
INSTALLED = """
import importlib.metadata, json
told = {}
for each in importlib.metadata.distributions():
    paths = [each.locate_file(file) for file in each.files or ()]
    told[f"{each.name} {each.version}"] = sum(path.stat().st_size for path in paths if path.is_file())
print(json.dumps(told))
"""


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True, timeout=300).stdout


@pytest.fixture(scope="module")
def made(engine, tmp_path_factory):
    """A small image with links, copies, and files that a later layer deletes, replaces and gives other rights."""
    folder: Path = tmp_path_factory.mktemp("size")
    name = f"dockyard-test-{secrets.token_hex(4)}"
    base = BASE if engine.daemon.image(BASE) else reference_of(BASE)
    (folder / "Dockerfile").write_text(DOCKERFILE.format(base=base, label=PROJECT_LABEL, name=name), "utf-8")
    docker("buildx", "build", "--load", "--quiet", "--provenance=false", "--tag", name, str(folder))
    yield name, base
    docker("image", "rm", "--force", name)


def inside(image: str, entrypoint: str, *words: str) -> str:
    """What a program of an image says in a container that is removed at once."""
    labels = ("--label", f"{PROJECT_LABEL}=dockyard-test-size")
    return docker("run", "--rm", "--network", "none", "--user", "0", *labels, "--entrypoint", entrypoint, image, *words)


def test_total(made, engine):
    """The total is what `du` counts in a container."""
    name, _ = made
    done = measure(read(engine.daemon.save(name), keep=keeps))
    covered = sum(each.size for each in done.files if each.path in MOUNTED)

    assert done.total - covered == int(inside(name, "sh", "-c", DU).split()[0])


def test_waste(made, engine):
    """What the second layer deleted, replaced and gave other rights is wasted; what it unlinked is not."""
    done = measure(read(engine.daemon.save(made[0]), keep=keeps))
    told = {each.path: (each.size, each.how, each.same) for each in done.waste.hidden if each.path.startswith("/made/")}

    assert told == {
        "/made/deleted": (700_000, "deleted", False),
        "/made/replaced": (500_000, "overwritten", False),
        "/made/copy": (3_000_000, "overwritten", True),
    }
    assert [each.paths for each in done.waste.duplicates if each.size == 3_000_000] == [("/made/link", "/made/copy")]
    assert sum(each.bytes for each in done.layers) - done.hidden == done.total


def test_base(made, changed):
    """The engine tells which layers are the base's, and what is on top of it."""
    name, base = made
    project = changed(size__over_base="1m", size__distributions={"pip": "1k"})
    done = measure_image(project, SizeOptions(image=name, against=base))

    assert done.measured.base.reference == base
    assert [each.base for each in done.measured.layers] == [True] * done.measured.base.layers + [False] * 2
    assert 10_200_000 < done.measured.over_base < 10_300_000
    assert [each.index for each in done.comparison.shared] == list(range(done.measured.base.layers))
    assert {each.name: each.delta for each in done.comparison.changes}["/made"] == 6_000_004
    assert [each.key for each in done.breaches] == ["size.over_base", "size.distributions.pip"]


def test_archive(made, changed, tmp_path):
    """A saved image has the figures of the engine's."""
    run(["docker", "save", "--output", str(tmp_path / "image.tar"), made[0]])
    saved = measure_image(changed(), SizeOptions(image=str(tmp_path / "image.tar")))
    there = measure_image(changed(), SizeOptions(image=made[0]))

    assert saved.measured.files == there.measured.files
    assert saved.measured.layers == there.measured.layers


def test_distributions(engine, request):
    """Each distribution of our image has the bytes of the files that importlib.metadata finds in a container."""
    image = OURS
    if engine.daemon.image(OURS) is None:
        repository = request.getfixturevalue("repository")
        pipeline.build_image(repository, progress="quiet")
        image = repository.settings.reference
    done = measure(read(engine.daemon.save(image), keep=keeps))
    found = json.loads(inside(image, "python", "-c", INSTALLED))

    own = {f"{each.name} {each.version}": each.recorded for each in done.distributions if each.place.startswith("/opt")}
    assert own == found
    assert len(own) > 10
