"""`invoke push` as it is typed."""

from __future__ import annotations

import json

import pytest
from invoke.collection import Collection

from dockyard.pipeline import push as pushing
from dockyard.push import Pushed, Record
from dockyard.tasks.push import push as task

DIGEST, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
TAGS = (
    Pushed(tag="1.0", digest=DIGEST, before="", sent=2, there=3),
    Pushed(tag="latest", digest=DIGEST, before=OTHER, sent=0, there=5),
    Pushed(tag="prod", digest=DIGEST, before=DIGEST, sent=0, there=5),
)


@pytest.fixture
def push(invoke, monkeypatch):
    """Run the task; what would be pushed is answered with a record."""
    asked = []

    def pushed(project, options):
        asked.append(options)
        return Record(
            image="tiny:prod",
            repository="host/api",
            digest=DIGEST,
            tags=TAGS,
            signature="signed by cosign and verified",
            started="2026-11-23T11:00:00+00:00",
            seconds=1.5,
        )

    monkeypatch.setattr(pushing, "push_image", pushed)
    run = lambda line: invoke(f"push {line}", Collection(task))  # noqa: E731
    run.asked = asked
    return run


def test_table(push):
    """Each tag has a row; the last line is the name to deploy by, and notes go elsewhere."""
    done = push("--repository host/api --tag 1.0 --tag latest --image tiny:2 --overwrite --sign cosign")

    assert done.code == 0
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[1:4] == [
        ["1.0", "new", "2", "3"],
        ["latest", "sha256:222222222222", "0", "5"],
        ["prod", "the", "same", "0", "5"],
    ]
    assert done.out.splitlines()[-1] == f"host/api@{DIGEST}"
    assert done.err == "signed by cosign and verified\n"
    assert push.asked == [
        pushing.PushOptions(
            image="tiny:2", repository="host/api", tags=("1.0", "latest"), overwrite=True, sign="cosign"
        )
    ]


def test_json(push):
    """The same for programs, and nothing else."""
    done = push("--format json")
    told = json.loads(done.out)

    assert (told["version"], told["reference"], done.err) == (1, f"host/api@{DIGEST}", "")
    assert told["push"]["tags"][0] == {"tag": "1.0", "digest": DIGEST, "before": "", "sent": 2, "there": 3}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--sign gpg", "It can be auto, cosign, notation, off."),
        ("--format yaml", "It can be table, json."),
    ],
)
def test_wrong(push, line, says):
    """A wrong word is refused with the right ones."""
    done = push(line)
    assert done.code == 2
    assert says in done.err


def test_nowhere(invoke):
    """Without a repository nothing is begun."""
    done = invoke("push", Collection(task))
    assert done.code == 2
    assert "It is not known where to push." in done.err
