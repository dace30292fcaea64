"""What counts for a step and what does not: the model of BuildKit's cache keys."""

from __future__ import annotations

import pytest

from dockyard import explain
from dockyard.engines.facts import read_image
from dockyard.explain import Outcome

LINE = "RUN --mount=type=cache,target=/c,id=a echo one"


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("COPY src /s", "COPY  ./src/  /s", True),
        ("COPY src/../last.txt /s/", "COPY last.txt /s/", True),
        ("COPY src /s", "COPY src /t", False),
        ("COPY src /s", "COPY src /s/", False),
        ("COPY src /s", "COPY --chown=1:1 src /s", False),
        ("WORKDIR /a\nCOPY src b", "WORKDIR /a\nCOPY src /a/b", True),
        ("WORKDIR /a", "WORKDIR a/.", True),
        ("USER 1\nWORKDIR /a", "USER 2\nWORKDIR /a", False),
        ("RUN a  b", "RUN a b", False),
        ("RUN a \\\n  b", "RUN a \\\n# why\n  b", True),
        ('RUN ["a", "b"]', 'RUN ["a","b"]', True),
        ("RUN <<A\nx\nA", "RUN <<B\nx\nB", True),
        ("RUN <<A\n#!x\nA", "RUN <<B\n#!x\nB", False),
        ("COPY <<A /f\nx\nA", "COPY <<A /f\ny\nA", False),
        (LINE, LINE.replace("id=a", "id=b,sharing=locked"), True),
        (LINE, LINE.replace("target=/c,id=a", "id=a,target=/c"), True),
        (LINE, LINE.replace("/c", "/d"), False),
        ("RUN --mount=type=secret,id=a x", "RUN --mount=type=secret,id=b x", False),
        ("COPY --exclude=a --exclude=b src /s", "COPY --exclude=b --exclude=a src /s", False),
        ("COPY --chmod=1 --exclude=a src /s", "COPY --exclude=a --chmod=1 src /s", True),
        ("COPY src /s", "COPY --exclude=a src /s", False),
        ("COPY src /s", "COPY --parents src /s", False),
        ("COPY --parents src/app.py /s", "COPY --parents src/./app.py /s", False),
        ("COPY --parents ./src/./app.py /s", "COPY --parents src/././app.py /s", True),
        ("ARG V=1\nCOPY src /s", "ARG V=2\nCOPY src /s", True),
        ("ARG V=1\nCOPY src /$V", "ARG V=2\nCOPY src /$V", False),
        ("ARG V=1\nRUN x", "ARG V=2\nRUN x", False),
        ("RUN x\nARG V=1", "RUN x\nARG V=2", True),
        ("ENV A=1 B=2\nRUN x", "ENV B=2 A=1\nRUN x", False),
        ("USER 1\nCOPY src /s", "USER 2\nCOPY src /s", True),
        ("USER 1\nRUN x", "USER 2\nRUN x", False),
        ("RUN x\nLABEL a=1\nEXPOSE 1", "RUN x\nCMD y", True),
    ],
)
def test_keys(bench, before, after, same):
    """Two ways to write a step are the same work, or are not."""
    keys = []
    for lines in (before, after):
        bench.write("Dockerfile", f"FROM scratch\n{lines}\n")
        graph = bench.gather()
        keys.append([graph.keys[node.id] for node in graph.nodes])

    assert (keys[0] == keys[1]) == same


def test_link_stands_alone(bench):
    """COPY --link does not depend on what is before it; what is behind it depends on both."""
    keys = []
    for name in ("/a", "/b"):
        bench.write("Dockerfile", f"FROM scratch\nCOPY last.txt {name}\nCOPY --link src /s\nRUN x\n")
        graph = bench.gather()
        keys.append([graph.keys[node.id] for node in graph.nodes])

    assert [one == other for one, other in zip(*keys, strict=True)] == [False, True, False]


def test_root_as_the_folder(bench):
    """WORKDIR / is no step, and counts among all of its stage; wherever it comes from."""
    lines = "WORKDIR /\nRUN x\nWORKDIR /a\nWORKDIR ..\nRUN y\n"
    bench.write("Dockerfile", f"FROM scratch\n{lines}")

    assert [(node.label, node.keyword) for node in bench.gather().nodes] == [
        ("1/5", "RUN"),
        ("2/5", "WORKDIR"),
        ("3/5", "RUN"),
    ]


def test_folder_of_the_base(bench):
    """What is said of folders begins in that of the base."""
    bench.write("Dockerfile", "FROM made\nCOPY last.txt .\nWORKDIR ..\nRUN x\n")
    facts = read_image({"Id": "sha256:1", "Config": {"WorkingDir": "/app"}})

    graph = explain.gather(bench.plan, state=bench.state, image=lambda _: facts)

    assert [node.label for node in graph.nodes] == ["1/4", "2/4", "3/4"]
    assert graph.nodes[1].parts["target"] == "/app/"


TRIGGERS = {"Id": "sha256:1", "Config": {"OnBuild": ["ENV A=1", "RUN a", "COPY last.txt /$A"]}}


def test_triggers(bench):
    """What a base keeps for the builds on it comes first, with the line of FROM, once; BuildKit does not count it."""
    bench.write("Dockerfile", "FROM made AS one\nRUN b\nONBUILD RUN c\nFROM one AS two\nRUN d\nFROM two\nRUN e\n")

    graph = explain.gather(bench.plan, state=bench.state, image=lambda _: read_image(TRIGGERS))

    assert [(node.label, node.text, node.line) for node in graph.nodes] == [
        ("one 1/2", "FROM made", 1),
        ("one 2/2", "RUN a", 1),
        ("one 3/2", "COPY last.txt /$A", 1),
        ("one 4/2", "RUN b", 2),
        ("two 1/1", "RUN c", 4),
        ("two 2/1", "RUN d", 5),
        ("stage-2 1/1", "RUN e", 7),
    ]
    assert graph.nodes[2].parts["target"] == "/1"
    assert graph.nodes[3].parts["variables"] == ["A=1"]


@pytest.mark.parametrize("text", ["RUN <<", "THING a"])
def test_trigger_that_cannot_be_read(bench, text):
    """A trigger that only the builder understands is left out."""
    facts = read_image({"Id": "sha256:1", "Config": {"OnBuild": [text]}})
    bench.write("Dockerfile", "FROM made\nRUN b\n")

    graph = explain.gather(bench.plan, state=bench.state, image=lambda _: facts)

    assert [node.text for node in graph.nodes][-1] == "RUN b"


def test_stages_that_are_not_needed(bench):
    """Only the stages that the target needs are looked at."""
    bench.again(target="one")

    assert [node.label for node in bench.gather().nodes] == ["one 1/2", "one 2/2"]


def test_platforms(bench):
    """Each platform has its own steps and its own TARGETARCH."""
    bench.write("Dockerfile", "FROM scratch\nARG TARGETARCH\nCOPY src /$TARGETARCH\n")
    bench.again(platforms=("linux/amd64", "linux/arm64"))

    nodes = bench.gather().nodes
    assert [(node.label, node.parts["target"]) for node in nodes] == [
        ("linux/amd64 1/1", "/amd64"),
        ("linux/arm64 1/1", "/arm64"),
    ]


def test_name_of_a_cache(bench):
    """Another name for a cache makes a step run at times: it may, and if it did, that edit is the cause."""
    bench.write("Dockerfile", f"FROM scratch\n{LINE}\n")
    bench.build("stage-0 1/1")
    bench.write("Dockerfile", f"FROM scratch\n{LINE.replace('id=a', 'id=b')}\n")

    assert [each.outcome for each in bench.foretell().steps] == [Outcome.MAY_RUN]
    assert [each.causes[0].kind for each in bench.build("stage-0 1/1").ran] == ["edited"]


def test_lent_base(bench):
    """A base that is lent is the same FROM as ever."""
    bench.write("Dockerfile", "FROM own AS one\nRUN a\nFROM own\nCOPY --from=one /a /\nRUN b\n")
    before = bench.gather()
    bench.again(lent={"own": "oci-layout:///x@sha256:1"})
    graph = bench.gather()

    assert [each.label for each in graph.nodes] == ["one 1/2", "one 2/2", *(f"stage-1 {n}/3" for n in (1, 2, 3))]
    assert list(before.keys.values()) == list(graph.keys.values())


def test_folder_in_a_stage_s_place(bench):
    """A step that takes from a stage is another one where a folder has that stage's place; the engine is not asked."""
    bench.write("Dockerfile", "FROM scratch AS wheels\nFROM scratch\nRUN --mount=from=wheels,target=/w make\n")
    before = bench.gather()
    bench.again(offline=True, contexts={"wheels": bench.root})
    after = bench.gather()
    (online,), (offline,) = before.nodes, after.nodes
    assert online.parts["images"] == {}
    assert offline.parts["images"] == {"wheels": "folder wheels"}
    assert before.keys[online.id] != after.keys[offline.id]
