from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from dockyard.audit.facts.python_environment import installed as distributions
from dockyard.audit.facts.python_environment import python_environment
from dockyard.audit.files import MADE
from dockyard.audit.read import TextFile
from dockyard.audit.rules.image_scans import VulnerabilityGate
from dockyard.audit.rules.supply_installed import InstalledIsLocked
from dockyard.audit.rules.supply_models import ModelIntegrity, keeps
from dockyard.audit.rules.supply_origin import Provenance, Signed, from_registry
from dockyard.audit.rules.supply_sbom import Inventory
from dockyard.audit.scans import Scan
from dockyard.audit.verdict import Kind, State

from .cases_supply_image import (
    COMMIT,
    LINT,
    MODEL,
    SCAN,
    SETTINGS,
    SITE,
    committed,
    cyclonedx,
    files,
    installed,
    models,
    provenance,
    sbom,
    scanned,
    signed,
    spdx,
    statement,
)
from .images_made import image


def config(**changed):
    return {"architecture": "arm64", "config": {"Cmd": ["python"], "Env": ["PATH=/opt/venv/bin"], **changed}}


def test_environment():
    """The environment is the one of the interpreter that the image starts, not that of the system beside it."""
    found = python_environment(image(files()))
    assert (found.program, found.version, found.isolated, found.sites) == (
        "/opt/venv/bin/python",
        "3.12.4",
        True,
        (SITE,),
    )
    assert [(each.name, each.version) for each in found.distributions] == [("h11", "0.16.0")]
    assert (found.markers["python_version"], found.markers["platform_machine"]) == ("3.12", "x86_64")
    assert python_environment(image(files(), config=config())).markers["platform_machine"] == "aarch64"


@pytest.mark.parametrize("line", [b"#!/opt/venv/bin/python\n", b"#!/usr/bin/env -S /opt/venv/bin/python -P\n"])
@pytest.mark.parametrize("command", [["serve"], ["/usr/bin/serve", "x"]])
def test_environment_of_a_script(line, command):
    """A program that is a script runs in the environment that its first line names, whatever PATH has."""
    scripts = {"/usr/bin/serve": line, "/usr/bin/python3": b"ELF"}
    given = image(files(scripts), config=config(Cmd=None, Entrypoint=command, Env=["PATH=/usr/bin"]))
    assert python_environment(given).program == "/opt/venv/bin/python"


def test_script_of_no_python():
    """A script that another program runs, or one whose interpreter is missing, leaves PATH's python."""
    for line in (b"#!/bin/sh\n", b"#!/gone/python\n"):
        given = image(files({"/usr/bin/serve": line}), config=config(Cmd=["/usr/bin/serve"]))
        assert python_environment(given).program == "/opt/venv/bin/python"


@pytest.mark.parametrize(
    ("env", "program", "version"),
    [
        (["PYTHON_VERSION=3.12.7"], "python3.12", "3.12.7"),
        (["PYTHON_VERSION=3.11.9"], "python3.12", "3.12"),
        ([], "python3.12", "3.12"),
        ([], "python3", "3.13"),
    ],
)
def test_version(env, program, version):
    """The version is the one that the interpreter's file or its folder is named by; a variable may be of another."""
    site = {"/usr/local/lib/python3.13/site-packages/a.py": b""}
    made = image({f"/usr/local/bin/{program}": b"ELF", **site}, config={"config": {"Cmd": [program], "Env": env}})
    found = python_environment(made)
    assert (found.version, found.markers["platform_machine"]) == (version, "x86_64")


def test_system_environment():
    """Without a virtual environment, pip comes with Python; another stranger does not."""
    site = "/usr/local/lib/python3.12/site-packages"
    pip = {f"{site}/{name}-1.dist-info/METADATA": f"Name: {name}\nVersion: 1\n".encode() for name in ("pip", "flask")}
    made = image(
        {"/usr/local/bin/python3.12": b"ELF", **pip},
        changed={
            "/usr/local/bin/python3.12": {"mode": 0o755},
            "/usr/local/bin/python": {"kind": "symlink", "target": "python3.12", "mode": 0o777},
        },
        config={"config": {"Env": ["PYTHON_VERSION=3.12.7"]}},
    )
    found = python_environment(made)
    assert (found.version, found.isolated) == ("3.12.7", False)
    told = InstalledIsLocked().check({"image": made, "lock": TextFile(path="lock", text="")}).of(Kind.BROKEN)
    assert "flask 1 is installed and not locked" in [each.text for each in told]
    assert "pip 1 is installed and not locked" not in [each.text for each in told]


@pytest.mark.parametrize("told", [{}, {"config": None}, {"config": {"Cmd": None, "Env": None, "Entrypoint": "x"}}])
def test_no_python(told):
    """An image without Python, or without a configuration, is not examined."""
    given = installed() | {"image": image({"/bin/sh": b""}, config=told)}
    assert InstalledIsLocked().check(given).state is State.NOT_RUN


def test_odd_records():
    """A RECORD that is binary noise, and one that names what is outside, are no crash."""
    for content in (b"\xff\x00\n,,,\n\n", b"../../../../../etc/passwd,sha256=!,1\n", b'"'):
        given = installed({f"{SITE}/h11-0.16.0.dist-info/RECORD": content})
        assert InstalledIsLocked().check(given).state is State.FAIL


def test_no_record():
    """A distribution without a list of its files cannot be held to it."""
    told = InstalledIsLocked().check(installed({f"{SITE}/h11-0.16.0.dist-info/RECORD": None})).of(Kind.BROKEN)
    assert "h11 0.16.0 has no RECORD of its files" in [each.text for each in told]


def test_left_out():
    """Files that were taken out on purpose are counted, and do not fail."""
    told = [each.text for each in InstalledIsLocked().check(installed()).proofs]
    assert "2 files have the bytes of their RECORD; 1 that it names are left out" in told


def test_distributions():
    """Every distribution of the image is found, its headers read and not its description."""
    found = {(each.name, each.version) for each in distributions(image(files()))}
    assert found == {("h11", "0.16.0"), ("other", "1")}
    bare = image({"/a/site-packages/Foo_Bar-2.0.egg-info": b""})
    assert [(each.name, each.version) for each in distributions(bare)] == [("foo-bar", "2.0")]


def test_spdx():
    """SPDX holds as CycloneDX does."""
    assert Inventory().check(sbom(spdx())).state is State.PASS


@pytest.mark.parametrize(
    "document",
    [[], 7, None, {"bomFormat": "CycloneDX", "components": 7, "metadata": 7},
     {"spdxVersion": "SPDX-2.3", "packages": [7, {"externalRefs": [1]}], "documentDescribes": 7, "relationships": {}},
     cyclonedx() | {"components": [{"purl": None}, {"components": [{"purl": 7}]}]}],
    ids=range(6),
)  # fmt: skip
def test_odd_sboms(document):
    """A document of an odd shape fails, and is no crash."""
    assert Inventory().check(sbom(document if document is not None else "")).state is State.FAIL


def test_epoch():
    """A Debian version's epoch may stand in the version or, as Trivy has it, beside it."""
    status = b"Package: zlib1g\nVersion: 1:1.2-1\n"
    for purl in ("pkg:deb/debian/zlib1g@1%3A1.2-1?arch=amd64", "pkg:deb/debian/zlib1g@1.2-1?arch=amd64&epoch=1"):
        parts = [*cyclonedx()["components"][:2], {"type": "library", "name": "zlib1g", "purl": purl}]
        assert Inventory().check(sbom(None, {"/var/lib/dpkg/status": status}, components=parts)).state is State.PASS


def parts_of(*purls):
    """The good image's parts, and more."""
    return [*cyclonedx()["components"], *({"type": "library", "name": "x", "purl": each} for each in purls)]


def test_spelling():
    """Names and versions are one in whatever spelling; Debian's names have none but their own."""
    changed = {
        f"{SITE}/Foo_Bar-1.0.dist-info/METADATA": b"Name: Foo_Bar\nVersion: 1.0\n",
        "/var/lib/dpkg/status.d/apt": b"Package: libapt-pkg6.0\nVersion: 2\n",
        "/var/lib/dpkg/info/odd": b"Package: none\nVersion: 2\n",
    }
    parts = parts_of("pkg:pypi/foo.bar@1.0.0", "pkg:deb/debian/libapt-pkg6.0@2")
    verdict = Inventory().check(sbom(None, changed, components=parts))
    assert verdict.state is State.PASS
    assert "sbom.json is CycloneDX with all required fields" in verdict.evidence


@pytest.mark.parametrize("purl", ["pkg:pypi/h11@0.17.0", "pkg:deb/debian/h11@0.16.0"])
def test_other_version_or_kind(purl):
    """A package of another version, or of another kind, is another package."""
    told = Inventory().check(sbom(None, components=parts_of(purl))).of(Kind.BROKEN)
    assert [each.text.partition(" is in ")[2] for each in told] == ["the SBOM and not in the image"]


def test_no_status_kept():
    """A list of packages that was not kept is no crash."""
    made = image(files())
    bare = replace(made, contents={path: made.contents[path] for path in made.contents if "dpkg" not in path})
    told = Inventory().check(sbom() | {"image": bare}).of(Kind.BROKEN)
    assert [each.text for each in told] == ["libc6 2.36-9+deb12u13 (Debian) is in the SBOM and not in the image"]


def test_other_version_alone():
    """A package that is listed with another version alone is told once, with both versions."""
    told = Inventory().check(sbom(None, components=parts_of("pkg:pypi/h11@0.17.0")[1:])).of(Kind.BROKEN)
    assert [each.text for each in told] == ["h11 0.16.0 (Python) is in the image, the SBOM has 0.17.0"]


def test_made_now():
    """Of an SBOM that is in no file, no proof names a file."""
    given = sbom() | {"sbom": TextFile(path=MADE, text=json.dumps(cyclonedx() | {"components": []}))}
    told = Inventory().check(given).of(Kind.BROKEN)
    assert len(told) > 1
    assert {each.place.file for each in told} == {""}


def test_packages_that_cannot_be_read():
    """Where the image has packages that are not read here, nobody says that all are listed."""
    verdict = Inventory().check(sbom(None, {"/var/lib/rpm/rpmdb.sqlite": b"x"}))
    assert verdict.state is State.NOT_RUN
    assert "RPM packages are not listed" in " ".join(each.text for each in verdict.of(Kind.UNKNOWN))


def test_noise_is_no_sbom():
    """What is no JSON fails."""
    given = sbom() | {"sbom": TextFile(path="sbom.json", text="{")}
    assert Inventory().check(given).state is State.FAIL


@pytest.mark.parametrize(
    ("reference", "state"),
    [
        ("shop:prod", State.NOT_RUN),
        ("localhost:5000/shop", State.FAIL),
        ("registry.example/team/shop:1", State.FAIL),
        ("shop@sha256:aa", State.FAIL),
        ("other:1", State.FAIL),
    ],
)
def test_no_provenance(reference, state):
    """An image of ours that was built here is not judged; one from a registry, or of others, fails."""
    assert Provenance().check(provenance(None, reference=reference)).state is state


def test_old_provenance():
    """The older form of provenance names its materials elsewhere."""
    material = {"uri": "pkg:docker/python", "digest": {"sha256": "ba" * 32}}
    old = statement(predicateType="https://slsa.dev/provenance/v0.2", predicate={"materials": [material, 7]})
    assert Provenance().check(provenance(old)).state is State.PASS


def test_commit():
    """The commit of the image's label is found in a provenance that tells labels; without a label none is sought."""
    found = Provenance().check(provenance(committed("c0ffee"), labels={COMMIT: "c0ffee"}))
    assert found.state is State.PASS
    assert "the provenance names the commit c0ffee" in {proof.text for proof in found.proofs}
    assert Provenance().check(provenance(committed("c0ffee"))).state is State.PASS


def test_from_registry():
    """A first part with a point or a port is a host."""
    assert [from_registry(each) for each in ("a/b", "a.b/c", "a:1/b", "localhost/b", "a:1")] == [
        False, True, True, True, False,
    ]  # fmt: skip


def test_not_signed():
    """Without a verification nothing is known of the signature; an image without a digest cannot have one."""
    assert Signed().check(signed() | {"scans": (SCAN,)}).state is State.NOT_RUN
    given = signed("") | {"image": image(files(), digest="")}
    assert Signed().check(given).state is State.FAIL


def test_models_unset():
    """Without patterns nobody knows which file is the model."""
    given = models() | {"settings": SETTINGS.model_copy(update={"audit": type(SETTINGS.audit)()})}
    assert ModelIntegrity().check(given).state is State.NOT_RUN


def test_model_not_kept():
    """A model whose bytes were not kept was not looked into, which is no pass."""
    made = image(files())
    given = models() | {
        "image": replace(made, contents={each: made.contents[each] for each in made.contents if each != MODEL})
    }
    verdict = ModelIntegrity().check(given)
    assert verdict.state is State.NOT_RUN
    assert "was not looked into: 6 bytes" in verdict.evidence


def test_keeps():
    """Models of a moderate size are kept, with what names their digests; nothing else is."""
    patterns = SETTINGS.audit.models
    kept = [MODEL, f"{MODEL}.sha256", "/x/SHA256SUMS"]
    assert [keeps(path, 10, patterns) for path in [*kept, "/app/a.onnx", "/etc/passwd"]] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert not keeps(MODEL, 1 << 30, patterns)


def test_pickles_of_packages():
    """A pickle among Python's own files is covered by their hashes."""
    path = "/usr/local/lib/python3.12/lib2to3/Grammar.pickle"
    assert ModelIntegrity().check(models({path: b"", f"{SITE}/h11/x.pkl": b""})).state is State.PASS


def test_trivy_needs_its_database():
    """Trivy's report alone does not date its database; with the answer of `trivy version` it does."""
    trivy = replace(SCAN, tool="trivy", database=None)
    database = Scan(path="v.json", tool="trivy-database", database=date(2026, 11, 22))
    assert VulnerabilityGate().check(scanned(trivy)).state is State.NOT_RUN
    assert VulnerabilityGate().check(scanned(trivy, database)).state is State.PASS
    assert VulnerabilityGate().check(scanned(replace(SCAN, database=None), database)).state is State.NOT_RUN


def test_no_scan():
    """Hadolint's word alone is no scan."""
    assert VulnerabilityGate().check(scanned(LINT)).state is State.NOT_RUN


def test_limits():
    """A finding may stay, and a database may be, as old as the settings allow."""
    assert VulnerabilityGate().check(scanned(database=date(2026, 11, 16))).state is State.PASS
    thirty = replace(SCAN.findings[0], known=date(2026, 10, 24))
    assert VulnerabilityGate().check(scanned(findings=(thirty,))).state is State.PASS
