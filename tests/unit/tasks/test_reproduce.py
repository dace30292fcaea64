"""`invoke reproduce` as it is typed."""

from __future__ import annotations

import json

import pytest
from invoke.collection import Collection

from dockyard.reproduce import Comparison, Difference, How, Rebuilt, Seen
from dockyard.tasks.reproduce import reproduce
from unit.report.schemas import check

EQUAL = Rebuilt(comparison=Comparison(digests=("sha256:1", "sha256:1"), alike=True, differences=()), seconds=(1, 2))
SEEN = Seen(how=How.MODE, detail="mode 644 and 600")
DIFFERENT = Rebuilt(
    comparison=Comparison(
        digests=("sha256:1", "sha256:2"),
        alike=False,
        differences=(Difference(place=None, subject="/x", seen=SEEN, remedy="Set it."),),
    ),
    seconds=(1, 2),
)


@pytest.fixture
def typed(invoke, on_engine, monkeypatch):
    """Type `invoke reproduce …`; what comes of the builds is given, what was asked for is returned too."""

    def typed(line: str, found: Rebuilt = EQUAL):
        asked = []

        def reproduce_image(project, options):
            asked.append((project, options))
            return found

        monkeypatch.setattr("dockyard.pipeline.reproduce.reproduce_image", reproduce_image)
        return invoke(f"reproduce {line}", tasks=Collection(reproduce)), asked

    return typed


def test_equal(typed):
    """Equal builds end with 0 and print the digest alone."""
    done, ((project, options),) = typed("--python 3.13 --target builder --builder other --progress plain")

    assert (done.code, done.out) == (0, "sha256:1\n")
    assert (project.settings.python, project.settings.build.builder) == ("3.13", "other")
    assert (options.stage, options.against, options.progress) == ("builder", "", "plain")


def test_different(typed):
    """A difference ends with 5, printed in full and named in the error."""
    done, _ = typed("", DIFFERENT)

    assert done.code == 5
    assert "/x: mode 644 and 600" in done.out
    assert done.err.splitlines()[-3:] == [
        "error: Two builds give two images.",
        "The first difference: /x, mode 644 and 600.",
        "Set it.",
    ]


def test_json(typed):
    """A program gets JSON on standard output, and the same exit code."""
    done, ((_, options),) = typed("--against other:1 --format json", DIFFERENT)

    assert done.code == 5
    check(json.loads(done.out), "reproduce")
    assert json.loads(done.out)["against"] == options.against == "other:1"


@pytest.mark.parametrize("line", ["--format yaml", "--progress loud", "--python 3"])
def test_refused(typed, line):
    """A wrong word ends with 2, before anything is built."""
    done, asked = typed(line)

    assert done.code == 2
    assert asked == []
