from __future__ import annotations

import platform
from pathlib import Path

import pytest

from dockyard.dockerfile import DockerfileError, External, parse
from dockyard.errors import SettingsError
from support import sentences

REPOSITORY = Path(__file__).parents[3]
THREE = """\
ARG BASE=python:3
FROM ${BASE} AS Builder
RUN build
FROM --platform=linux/${TARGETARCH} builder AS tester
RUN test
FROM scratch
COPY --from=builder /a /
COPY --from=1 /b /
"""


@pytest.fixture(autouse=True)
def _machine(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")


def test_stages():
    """A stage has its number, its name in lower case, its base as written and expanded, and who it is built from."""
    tree = parse(THREE)
    told = [(each.index, each.name, each.base, each.reference, each.parent, each.line) for each in tree.stages]

    assert told == [
        (0, "builder", "${BASE}", "python:3", None, 2),
        (1, "tester", "builder", "builder", 0, 4),
        (2, "", "scratch", "scratch", None, 6),
    ]
    assert [each.platform for each in tree.stages] == ["", "linux/arm64", ""]
    assert [each.uses for each in tree.stages] == [set(), {0}, {0, 1}]
    assert [each.stage for each in tree.instructions] == [None, 0, 0, 1, 1, 2, 2, 2]
    assert tree.final is tree.stages[2]
    assert tree.arguments == {"BASE": "python:3"}


@pytest.mark.parametrize(("target", "index"), [("builder", 0), ("BUILDER", 0), (1, 1), ("1", 1), (2, 2)])
def test_stage(target, index):
    """A stage is found by its name, whatever its case, and by its number."""
    assert parse(THREE).stage(target).index == index


@pytest.mark.parametrize("target", ["", "none", 3, -1])
def test_no_such_stage(target):
    """A stage that is not there is said, with those that are."""
    with pytest.raises(SettingsError) as caught:
        parse(THREE).stage(target)
    assert "builder, tester, 2" in sentences(caught.value)[1]


def test_lineage():
    """What makes a stage's image begins with its base's instructions; what is only copied from is none of it."""
    tree = parse(THREE)

    assert [each.line for each in tree.lineage("tester")] == [2, 3, 4, 5]
    assert [each.line for each in tree.lineage(tree.final)] == [6, 7, 8]
    assert [each.index for each in tree.needed(2)] == [0, 1, 2]
    assert [each.index for each in tree.needed("builder")] == [0]


def test_a_long_lineage():
    """A chain of a thousand stages is followed to its end."""
    text = "FROM scratch AS s0\n" + "".join(f"FROM s{at} AS s{at + 1}\n" for at in range(1000))

    assert len(parse(text).lineage(1000)) == 1001


def test_externals():
    """Every image from outside is told with its line and why; stages, by name or number, and scratch are not."""
    tree = parse(
        "# syntax=front/end:1 option\nARG V=1\nFROM base:$V AS one\nFROM one AS two\nFROM scratch AS three\n"
        "COPY --from=ONE a /\nCOPY --from=0 a /\nCOPY --from=tool:2 a /\n"
        "RUN --mount=from=two,target=/a --mount=type=cache,from=cache:3,target=/b --mount=target=/c \\\n  true\n"
        "COPY --from=scratch a /\nFROM base:$V\n"
    )

    assert tree.externals() == (
        External(reference="front/end:1", line=1, why="# syntax"),
        External(reference="base:1", line=3, why="FROM", stage=0),
        External(reference="tool:2", line=8, why="COPY --from", stage=2),
        External(reference="cache:3", line=9, why="RUN --mount", stage=2),
        External(reference="base:1", line=12, why="FROM", stage=3),
    )


def test_a_base_in_capitals_is_no_stage():
    """FROM finds a stage by its name in lower case only, as BuildKit does; a number is an image there."""
    with pytest.raises(DockerfileError):
        parse("FROM scratch AS a\nFROM A\n")
    assert [each.reference for each in parse("FROM scratch\nFROM 0\n").externals()] == ["0"]


def test_a_name_given_twice():
    """FROM takes the last stage of a name before it, COPY the last of all."""
    text = "FROM scratch AS a\nFROM a AS a\nFROM a AS b\nCOPY --from=a x /\n"

    assert [each.parent for each in parse(text).stages] == [None, 0, 1]
    with pytest.raises(DockerfileError):
        parse(f"{text}FROM scratch AS a\nCOPY --from=b x /\n")


SCOPES = (
    "ARG A=1 B\nARG C=${A}2\nFROM x:$C$TARGETOS AS one\n"
    "ARG A\nARG B=b C\nARG N\nENV E=$A D=env\nARG D=arg\nLABEL l=$A$B$C$D$N\n"
)


@pytest.mark.parametrize(
    ("args", "base", "label", "below"),
    [
        ({}, "x:12linux", "1b12arg", "1b12env"),
        ({"A": "3", "N": "n"}, "x:32linux", "3b32argn", "3b32envn"),
        ({"C": "c", "D": "given", "E": "not declared"}, "x:clinux", "1bcgiven", "1bcenv"),
        ({"TARGETOS": "other", "B": ""}, "x:12other", "112arg", "112env"),
    ],
)
def test_scopes(args, base, label, below):
    """ARG before FROM is for FROM, and for an ARG without a value; what is given beats both; ENV is inherited."""
    tree = parse(f"{SCOPES}FROM one\nLABEL l=$A$B$C$D$N\n", args=args)

    assert tree.stages[0].reference == base
    assert [each.pairs["l"] for each in tree.instructions if each.keyword == "LABEL"] == [label, below]


def test_own_arguments():
    """BuildKit's own arguments have values for FROM at once, and for a stage that declares them."""
    tree = parse(
        "FROM scratch\nLABEL l=x$TARGETARCH\nARG TARGETARCH BUILDPLATFORM\nLABEL l=$TARGETARCH,$BUILDPLATFORM\n"
    )

    assert [each.pairs["l"] for each in tree.instructions if each.keyword == "LABEL"] == ["x", "arm64,linux/arm64"]


def test_path():
    """PATH is set in every stage, so that what is put before it is told whole."""
    tree = parse("FROM a\nENV PATH=/x:$PATH\n")

    assert tree.instructions[1].pairs == {"PATH": "/x:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ARG A\n", 0),
        ("RUN a\nFROM a\n", 1),
        ("ENV A=1\nFROM a\n", 1),
        ("ARG A=${\nFROM a\n", 1),
        ("FROM $A\n", 1),
        ("FROM a\nCOPY --from=1 a /\n", 2),
        ("FROM a\nCOPY --from=-1 a /\n", 2),
        ("FROM a AS a\nCOPY --from=a a /\n", 2),
        ("FROM a AS a\nRUN --mount=from=a,target=/ a\n", 2),
        ("FROM a\nCOPY --from=b a /\nFROM a AS b\nFROM a\nCOPY --from=0 a /\n", 2),
        ("FROM a AS a\nCOPY --from=b a /\nFROM a AS b\nCOPY --from=a a /\nFROM scratch\n", 2),
        ("FROM a\nCOPY --from=No a /\n", 2),
        ("FROM a\nRUN --mount=from=No,target=/ a\n", 2),
        ("FROM a AS a\nLABEL l=${A?}\nFROM a\n", 2),
    ],
)
def test_refused(text, line):
    """Stages that cannot be built are refused, with the line."""
    with pytest.raises(DockerfileError) as caught:
        parse(text)
    assert caught.value.line == line


def test_a_stage_that_is_not_built():
    """What is wrong in a stage that the last one does not need is left as it is written."""
    tree = parse("FROM a\nLABEL l=${A?}\nCOPY --from=1 a /\nFROM b\n")

    assert tree.stages[0].instructions[1].expanded == ("l=${A?}",)
    assert tree.final.reference == "b"


def test_this_repository():
    """Our own Dockerfile is read: an empty stage, two on one base, and no heredoc of a shell is taken for ours."""
    text = (REPOSITORY / "Dockerfile").read_bytes()
    tree = parse(text, args={"PYTHON_VERSION": "3.13"})

    assert [each.name for each in tree.stages] == ["wheels", "builder", "runner"]
    assert {each.reference for each in tree.externals()} == {"python:3.13-slim-bookworm"}
    (script,) = [each for each in tree.stage("builder").instructions if each.keyword == "RUN" and each.heredocs]
    assert "<<'EOPY'" in script.heredocs[0].body
    assert {mount.type for each in tree.instructions for mount in each.mounts} == {"bind", "cache", "secret"}
