"""The Dockerfile with a mark in each step that mounts a secret."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.build.marked import marked, unmarked, with_marks
from dockyard.dockerfile import parse
from support import bare_plan

A, B = "RUN --mount=type=secret,id=dockyard-aa", "RUN --mount=type=secret,id=dockyard-bb"


def marks_in(text: str) -> str:
    return with_marks(text, parse(text), {"token": "aa", "other": "bb"})


@pytest.mark.parametrize(
    ("run", "mark"),
    [
        ("RUN --mount=type=secret,id=token x", A),
        ("RUN --mount=id=token,type=SECRET x", A),
        ("RUN --mount=type=secret,src=token,target=/t x", A),
        ("RUN --mount=type=secret,target=/run/secrets/token x", A),
        ("RUN --mount=type=cache,target=/c --mount=type=secret,id=other <<E\nx\nE", B),
        ('RUN --mount="type=secret,id=token" ["x"]', A),
        ("RUN \\\n  --mount=type=secret,id=token \\\n  x", A),
        ("RUN\\\n  --mount=type=secret,id=token x", A),
        ("RUN\t--mount=type=secret,id=token x", A),
        (
            "RUN --mount=type=secret,id=token --mount=type=secret,id=other x",
            f"{B}{A.removeprefix('RUN')}",
        ),
    ],
)
def test_marks(run, mark):
    """A RUN that mounts a secret gets its mark behind its first word, and the rest of the file stays as it was."""
    before, after = "# RUN --mount=type=secret,id=token\nFROM scratch\nENV A=1\n", "\nRUN y\nLABEL z=1\n"
    expected = mark + run.removeprefix("RUN")

    assert marks_in(before + run + after) == before + expected + after
    assert unmarked(expected) == run


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch\nRUN x\n",
        "FROM scratch\nRUN --mount=type=secret,id=third x\n",
        "FROM scratch\nRUN --mount=type=cache,id=token,target=/c x\n",
        "FROM scratch\nCOPY <<E /x\nRUN --mount=type=secret,id=token x\nE\n",
        "FROM scratch\r\nRUN x # --mount=type=secret,id=token\r\n",
    ],
)
def test_nothing_to_mark(text):
    """Other steps are left alone."""
    assert marks_in(text) == text


def test_lower_case_and_line_ends():
    """Neither the case of RUN, nor line ends, nor a byte order mark are another thing."""
    text = "\ufefffrom scratch\r\n  run --mount=type=secret,id=token x\r\n"

    assert marks_in(text) == text.replace("run", A.replace("RUN", "run"))


@pytest.fixture
def plan(tmp_path):
    """A build of a Dockerfile that mounts a secret, with a .dockerignore of its own."""
    (tmp_path / "my.Dockerfile").write_text("ARG T\nFROM scratch\nRUN --mount=type=secret,id=token x\n")
    (tmp_path / "my.Dockerfile.dockerignore").write_text("*\n")
    return bare_plan(tmp_path, dockerfile=tmp_path / "my.Dockerfile", base="scratch")


def test_copy(plan):
    """What is sent has the name of the Dockerfile and its .dockerignore beside it, and is gone afterwards."""
    with marked(replace(plan, marks={"token": "aa"})) as sent:
        assert (sent.name, sent.parent != plan.context) == ("my.Dockerfile", True)
        assert f"\n{A} --mount" in sent.read_text()
        assert sent.with_name("my.Dockerfile.dockerignore").read_text() == "*\n"
    assert not sent.parent.exists()
    assert "dockyard-" not in plan.dockerfile.read_text()


@pytest.mark.parametrize("text", [None, "RUN FROM\n", b"FROM \xff\n"])
def test_unreadable(plan, text):
    """A Dockerfile that cannot be read is left for the build to refuse; without marks it is sent as it is."""
    with marked(plan) as sent:
        assert sent == plan.dockerfile
    plan.dockerfile.unlink()
    if text:
        plan.dockerfile.write_bytes(text if isinstance(text, bytes) else text.encode())
    with marked(replace(plan, marks={"token": "aa"})) as sent:
        assert sent == plan.dockerfile
