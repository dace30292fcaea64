"""Layers find the line of the Dockerfile that made them."""

from __future__ import annotations

from dataclasses import replace

from dockyard.build.anchor import lines_of_layers
from dockyard.dockerfile import parse
from dockyard.image import HistoryStep
from images import file, image_of

DOCKERFILE = """\
FROM base AS builder
RUN make

FROM base AS runner
ENV A=1
COPY one /one
USER 1000
COPY two /two
"""
BASE = "/bin/sh -c #(nop) ADD file:1 in /"


def image(*steps: str):
    """An image with one layer for each step that copies, adds or runs, and with that history."""
    history, layer = [], 0
    for step in steps:
        empty = not any(word in step for word in ("COPY", "ADD", "RUN"))
        history.append(
            HistoryStep(created_by=step, created="", comment="", empty=empty, layer=None if empty else layer)
        )
        layer += not empty
    made = image_of(*([file(f"{number}")] for number in range(layer)))
    return replace(made, history=tuple(history))


def test_lines():
    """Each layer has its instruction's line, and those of the base that of FROM."""
    made = image(BASE, "ENV A=1", "COPY one /one # buildkit", "USER 1000", "COPY two /two # buildkit")

    assert lines_of_layers(parse(DOCKERFILE), made) == {0: 4, 1: 6, 2: 8}


def test_legacy_builder():
    """The words of the legacy builder are understood."""
    steps = ("ENV A=1", "COPY file:1 in /one", "USER 1000", "COPY file:2 in /two")
    made = image(BASE, *(f"/bin/sh -c #(nop)  {step}" for step in steps))

    assert lines_of_layers(parse(DOCKERFILE), made) == {0: 4, 1: 6, 2: 8}


def test_stage_on_a_stage():
    """What an earlier stage did counts where the shipped one stands on it."""
    text = "FROM base AS one\nRUN a\nFROM one\nRUN b\n"
    made = image(BASE, "RUN /bin/sh -c a # buildkit", "RUN /bin/sh -c b # buildkit")

    assert lines_of_layers(parse(text), made) == {0: 1, 1: 2, 2: 4}


def test_earlier_stage():
    """The image of an earlier stage has that stage's lines."""
    dockerfile = parse(DOCKERFILE)
    made = image(BASE, "RUN /bin/sh -c make # buildkit")

    assert lines_of_layers(dockerfile, made, dockerfile.stage("builder")) == {0: 1, 1: 2}
    assert lines_of_layers(dockerfile, made) == {}


def test_another_dockerfile():
    """An image that another Dockerfile made has no lines, rather than wrong ones."""
    assert lines_of_layers(parse(DOCKERFILE), image(BASE, "RUN one", "RUN two", "RUN three", "RUN four")) == {}
    assert lines_of_layers(parse(DOCKERFILE), image(BASE)) == {}
