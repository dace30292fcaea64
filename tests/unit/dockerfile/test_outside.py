from __future__ import annotations

import pytest

from dockyard.dockerfile import parse
from dockyard.dockerfile.outside import hiding, pinnable, platform_arguments

DIGEST = f"sha256:{'a' * 64}"
TEXT = f"""\
# syntax=docker/dockerfile:1 more
ARG BASE_IMAGE
FROM debian:12 AS tools
FROM tools@{DIGEST} AS held
FROM ${{BASE_IMAGE}}
COPY --from=tools /a /a
COPY --from=host.example/uv:0.9 /uv /bin/
RUN --mount=type=bind,from=debian:12,target=/x true
"""


def test_pinnable():
    """What is named by tag counts once, whatever names it; stages, digests and the base that is given do not."""
    tree = parse(TEXT, args={"BASE_IMAGE": "python:3.12"})
    found = [(each.reference, each.why) for each in pinnable(tree, "python:3.12")]
    assert found == [
        ("docker/dockerfile:1", "# syntax"),
        ("debian:12", "FROM"),
        ("host.example/uv:0.9", "COPY --from"),
    ]


@pytest.mark.parametrize("reference", ["golang", "golang:latest", "docker.io/library/golang", "docker.io/golang"])
def test_hidden(reference):
    """An image that BuildKit knows by the name of a stage is told from it, however it is written."""
    tree = parse(f"FROM {reference} AS golang\n")
    assert hiding(tree, reference) == "golang"
    assert [hiding(tree, other) for other in ("golang:1", "team/golang", "go")] == ["", "", ""]


def test_platform():
    """BuildKit's ARGs of a platform; those of the engine's own stay as they are."""
    told = platform_arguments("linux/arm/v7")
    assert (told["TARGETPLATFORM"], told["TARGETARCH"], told["TARGETVARIANT"]) == ("linux/arm/v7", "arm", "v7")
    assert platform_arguments("linux/arm64")["TARGETVARIANT"] == platform_arguments("").get("TARGETVARIANT", "")
