"""What is missing, extra or different in a provenance; the good one is as BuildKit writes it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from dockyard.machine.findings import Base
from dockyard.plan import build_plan
from dockyard.provenance import compare, statements
from dockyard.revision import Revision

PINNED = f"sha256:{'b' * 64}"
OTHER = f"sha256:{'0' * 64}"
IMAGE = f"sha256:{'a' * 64}"
BASE = Base(reference="python:3.12", pinned=f"python:3.12@{PINNED}", official=True, digest=PINNED, how="pulled")
DOCKERFILE = f"""\
ARG BASE_IMAGE
FROM unused.example/never AS unused
FROM ${{BASE_IMAGE}} AS builder
ADD https://files.example/data.tar /data
FROM ${{BASE_IMAGE}}
COPY --from=host:5000/tools/uv:1@{OTHER} /uv /uv
COPY --from=builder /data /data
"""
UV = "pkg:docker/host:5000/tools/uv@1"


@pytest.fixture
def plan(settings, project):
    (project / "Dockerfile").write_text(DOCKERFILE)
    return build_plan(settings, base=BASE, revision=Revision(commit="c0ffee"), secrets={})


def material(uri: str, digest: str) -> dict[str, Any]:
    return {"uri": f"{uri}?digest={digest}&platform=linux%2Famd64", "digest": {"sha256": digest[7:]}}


def told(plan) -> dict[str, Any]:
    """The statement that BuildKit makes of that build."""
    args = {f"build-arg:{name}": value for name, value in plan.args.items()}
    labels = {f"label:{name}": value for name, value in plan.labels.items()}
    return {
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [{"name": "x", "digest": {"sha256": IMAGE[7:]}}],
        "predicate": {
            "materials": [
                material("pkg:docker/python@3.12", PINNED),
                material(UV, OTHER),
                {"uri": "https://files.example/data.tar", "digest": {"sha256": "1" * 64}},
            ],
            "metadata": {"completeness": {"parameters": True}},
            "invocation": {"parameters": {"frontend": "dockerfile.v0", "args": {**args, **labels, "target": "x"}}},
        },
    }


def newer(old: dict[str, Any]) -> dict[str, Any]:
    """The same in version 1 of SLSA."""
    predicate = old["predicate"]
    definition = {
        "externalParameters": {"request": predicate["invocation"]["parameters"]},
        "resolvedDependencies": predicate["materials"],
    }
    run = {"metadata": {"buildkit_completeness": {"request": True}}}
    predicate = {"buildDefinition": definition, "runDetails": run}
    return {**old, "predicateType": "https://slsa.dev/provenance/v1", "predicate": predicate}


def found(plan, statement, digest=IMAGE) -> list[str]:
    (read,) = statements([{"predicateType": "https://spdx.dev/Document"}, statement])
    return [str(each) for each in compare(read, plan, digest=digest, args=plan.args)]


@pytest.mark.parametrize("version", [lambda old: old, newer])
def test_as_asked(plan, version):
    """The statement of the build itself has nothing missing, extra or different, in either version."""
    (read,) = statements([version(told(plan))])
    assert read.whole
    assert (dict(read.args), dict(read.labels)) == (plan.args, plan.labels)
    assert found(plan, version(told(plan))) == []


@pytest.mark.parametrize(
    ("digest", "says"), [(OTHER, []), (PINNED, [f"different: own/python:3.12, it was built from {OTHER}"])]
)
def test_lent(settings, project, digest, says):
    """A base that was lent to the builder is a material too, of the layout that it was lent as and of no other."""
    (project / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    base = Base(reference="own/python:3.12", pinned="own/python:3.12", official=False, digest="", how="assembled")
    plan = build_plan(settings, base=base, revision=Revision(), secrets={})
    statement = newer(told(plan))
    statement["predicate"]["buildDefinition"]["resolvedDependencies"] = [material("pkg:oci/own/python@3.12", OTHER)]

    assert found(replace(plan, lent={base.reference: f"oci-layout:///x@{digest}"}), statement) == says


def edited(name: str, value: str | None):
    """A change of one of the arguments."""

    def edit(statement):
        args = statement["predicate"]["invocation"]["parameters"]["args"]
        args.pop(name, None)
        args.update({} if value is None else {name: value})

    return edit


def materials(change):
    return lambda statement: change(statement["predicate"]["materials"])


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (edited("build-arg:BASE_IMAGE", None), "missing: the build argument BASE_IMAGE"),
        (edited("build-arg:TOKEN", "hunter2"), "extra: the build argument TOKEN"),
        (edited("build-arg:PYTHON_VERSION", "2.7"), "different: the build argument PYTHON_VERSION"),
        (edited("label:org.opencontainers.image.revision", "bad"), "different: the commit, bad, not c0ffee"),
        (edited("label:org.opencontainers.image.revision", None), "missing: the commit"),
        (edited("label:team", "x"), "extra: the label team"),
        (materials(lambda list_: list_.pop(0)), f"missing: python:3.12@{PINNED}"),
        (
            materials(lambda list_: list_.__setitem__(0, material("pkg:docker/python@3.12", OTHER))),
            f"different: python:3.12@{PINNED}, it was built from {OTHER}",
        ),
        (materials(lambda list_: list_.pop(1)), f"missing: host:5000/tools/uv:1@{OTHER}"),
        (
            materials(lambda list_: list_.append(material("pkg:docker/evil@1", OTHER))),
            f"extra: pkg:docker/evil@1?digest={OTHER}&platform=linux%2Famd64, no line of the Dockerfile names it",
        ),
        (
            materials(lambda list_: list_.append({"uri": "https://evil.example/x", "digest": {}})),
            "extra: https://evil.example/x, no line of the Dockerfile names it",
        ),
    ],
)
def test_one_change(plan, edit, says):
    """Each change is found, by itself, and no argument's value is shown."""
    statement = copy.deepcopy(told(plan))
    edit(statement)
    assert found(plan, statement) == [says]


def test_other_image(plan):
    """A statement of another image is none of this one."""
    assert found(plan, told(plan), OTHER) == [f"different: the image, it is of {IMAGE}, not {OTHER}"]


def test_proxies(plan):
    """Docker adds the user's proxies of its own accord, which is no difference."""
    statement = told(plan)
    edited("build-arg:http_proxy", "http://proxy:3128")(statement)
    assert found(plan, statement) == []


def test_min(plan):
    """What a statement of mode min does not tell is not held against it."""
    statement = told(plan)
    statement["predicate"]["metadata"]["completeness"]["parameters"] = False
    statement["predicate"]["invocation"]["parameters"]["args"] = {"build-arg:SOURCE_DATE_EPOCH": "1"}
    assert found(plan, statement) == []
    assert not next(statements([statement])).whole


@pytest.mark.parametrize("predicate", [None, [], {"materials": {"a": 1}}, {"invocation": {"parameters": []}}])
def test_hostile(plan, predicate):
    """A statement of any other form is one that tells nothing."""
    lines = found(plan, {**told(plan), "predicate": predicate})
    assert lines == [f"missing: python:3.12@{PINNED}", f"missing: host:5000/tools/uv:1@{OTHER}"]


def test_pinned(plan):
    """What is pinned is compared by the digest of its pin, and may come from a mirror."""
    (plan.dockerfile).write_text(DOCKERFILE.replace(f"@{OTHER}", ""))
    name = "host:5000/tools/uv:1"
    assert found(replace(plan, images={name: f"{name}@{OTHER}"}), told(plan)) == []
    (moved,) = found(replace(plan, images={name: f"{name}@{PINNED}"}), told(plan))
    assert moved == f"different: {name}@{PINNED}, it was built from {OTHER}"

    mirrored = replace(plan, images={name: f"mirror/uv:1@{OTHER}"})
    statement = told(plan)
    statement["predicate"]["materials"][1] = material("pkg:docker/mirror/uv@1", OTHER)
    assert found(mirrored, statement) == []
    assert found(mirrored, told(plan)) == [f"missing: mirror/uv:1@{OTHER}"]
