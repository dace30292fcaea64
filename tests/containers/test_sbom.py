"""The SBOM of the real image is complete: what package managers say in a container is in it, and nothing more."""

from __future__ import annotations

import json
import subprocess

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from dockyard import pipeline, sbom
from dockyard.image import read
from support import PROJECT_LABEL

OURS = "house-pricing-api:prod"
MODELS = ("/app/config/models/*.onnx",)
# The distributions of one folder, each with those of its requirements that hold here and are there.
ASK = """
import importlib.metadata, json, sys
sys.path += [path for path in json.loads(sys.argv[2]) if path not in sys.path]
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as canonical
found = list(importlib.metadata.distributions(path=[sys.argv[1]]))
there = {canonical(each.name) for each in found}
def wanted(one):
    lines = [Requirement(line) for line in one.requires or ()]
    held = [line for line in lines if line.marker is None or line.marker.evaluate({"extra": ""})]
    return sorted({canonical(line.name) for line in held if not line.extras} & there)
print(json.dumps(sorted([canonical(each.name), each.version, wanted(each)] for each in found)))
"""
DPKG = ("-W", "-f", "${Package} ${Version} ${Architecture}\n")


@pytest.fixture
def ours(engine, request):
    """The reference of our image, built if it is not there, and its bill."""
    image = OURS
    if engine.daemon.image(OURS) is None:
        repository = request.getfixturevalue("repository")
        pipeline.build_image(repository, progress="quiet")
        image = repository.settings.reference
    saved = read(engine.daemon.save(image), keep=lambda path, size, _: sbom.keeps(path, size, MODELS))
    return image, sbom.bill(saved, MODELS)


def inside(image: str, entrypoint: str, *words: str) -> str:
    """What a program of an image says in a container that is removed at once."""
    labels = ("--label", f"{PROJECT_LABEL}=dockyard-test-sbom")
    command = ["docker", "run", "--rm", "--network", "none", "--user", "0", *labels, "--entrypoint", entrypoint]
    return subprocess.run([*command, image, *words], check=True, capture_output=True, text=True, timeout=120).stdout


def test_packages(ours):
    """Every package that dpkg has in a container is listed with its version and architecture, and no other."""
    image, bill = ours
    told = {tuple(line.split(" ")) for line in inside(image, "dpkg-query", *DPKG).splitlines()}
    listed = {(each.name, each.version, each.purl.partition("arch=")[2].partition("&")[0]) for each in bill.of("deb")}

    assert listed == told
    assert len(bill.of("deb")) == len(told) > 50


def test_distributions(ours):
    """Each folder has the distributions that importlib.metadata finds there, and each requires what it does there."""
    image, bill = ours
    places = sorted({each.place for each in bill.of("pypi")})
    names = {each.ref: each.purl.removeprefix("pkg:pypi/").partition("@")[0] for each in bill.of("pypi")}
    for place in places:
        listed = sorted(
            [names[each.ref], each.version, sorted(names[ref] for ref in each.needs)]
            for each in bill.of("pypi")
            if each.place == place
        )
        assert listed == json.loads(inside(image, "python", "-c", ASK, place, json.dumps(places)))
    searched = inside(image, "find", "/", "-xdev", "(", "-name", "*.dist-info", "-o", "-name", "*.egg-info", ")")
    assert {line.rpartition("/")[0] for line in searched.splitlines()} == set(places)
    assert len(searched.splitlines()) == len(bill.of("pypi")) > 10


def test_python_and_models(ours):
    """The Python's version and file, the models' bytes and the release are those of a container."""
    image, bill = ours
    (python,) = bill.of("python")
    files = [python.place, *(each.place for each in bill.of("model"))]
    sums = dict(reversed(line.split()) for line in inside(image, "sha256sum", *files).splitlines())

    assert inside(image, "python", "-c", "import platform; print(platform.python_version())").strip() == python.version
    assert {each.place: each.sha256 for each in bill.of("python", "model")} == sums
    assert len(sums) == 3
    release = dict(line.split("=", 1) for line in inside(image, "cat", "/etc/os-release").splitlines())
    assert [each.version for each in bill.of("system")] == [release["VERSION_ID"].strip('"')]


def test_document(ours):
    """The document fits the official schema, names the image's digest and misses nothing of the bill."""
    _, bill = ours
    text = sbom.written(bill)
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    told = json.loads(text)

    assert str(error or "").partition("\n")[0] == ""
    assert told["metadata"]["component"]["hashes"][0]["content"] == bill.digest.removeprefix("sha256:")
    assert sbom.of_document(told) == sbom.listed(bill)
    assert bill.problems == ()
    assert [each for each in bill.of("pypi") if not each.licences] == []
