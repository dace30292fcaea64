from __future__ import annotations

import json

import pytest

from dockyard.machine.findings import Finding
from dockyard.report import tables
from dockyard.report.console import Console
from dockyard.run import Outage, Row, Started
from dockyard.settings import keys, load
from dockyard.smoke import Answer, Golden, Result
from support import SECRET

STARTED = Started(name="api-prod", url="http://127.0.0.1:8000", seconds=1.55, replaced=False, notes=())
FINDINGS = [
    Finding(subject="engine", state="found", detail="26.1.5"),
    Finding(subject="base 3.12", state="refused", detail="no registry", todo="Name a mirror."),
]
RESULT = Result(probe="health", verdict="fail", evidence="500: no")


@pytest.fixture
def out(capsys):
    """What standard output got, as words of lines."""
    return lambda: [line.split() for line in capsys.readouterr().out.splitlines()]


def test_findings(out, capsys):
    """What the machine has is a table, or the same as JSON."""
    tables.findings(Console(), FINDINGS, as_json=False)
    assert out()[1:3] == [["engine", "found", "26.1.5"], ["base", "3.12", "refused", "no", "registry"]]

    tables.findings(Console(), iter(FINDINGS), as_json=True)
    assert [each["state"] for each in json.loads(capsys.readouterr().out)] == ["found", "refused"]


@pytest.mark.parametrize(("replaced", "verb"), [(False, "healthy"), (True, "replaced the old one, healthy")])
def test_started(capsys, replaced, verb):
    """A started container is said with its address, and whether it took another one's place."""
    container = Started(**{**vars(STARTED), "replaced": replaced})
    tables.started(Console(), container)

    assert capsys.readouterr().out == f"api-prod {verb} after 1.6 s: http://127.0.0.1:8000\n"


def test_outage(capsys):
    """What clients noticed of a swap is said in a line of its own."""
    outage = Outage(seconds=3.1, asked=212, failed=4, silent=0.31)
    tables.started(Console(), Started(**{**vars(STARTED), "outage": outage}))

    assert capsys.readouterr().out.splitlines()[1] == (
        "replaced in 3.1 s; 4 of 212 requests failed, 0.31 s without an answer"
    )


def test_releases(out, capsys):
    """Releases are a table, or the whole of them as JSON."""
    known = {"time": "noon", "version": "1.0", "who": "anna@web-1", "outage": None}
    gone = {**known, "digest": f"sha256:{'a' * 64}", "revision": "b" * 40, "verdict": "rolled back"}
    first = Row(number=1, origin=0, runs=False, here=False, **gone)
    good = {**known, "digest": f"sha256:{'c' * 64}", "revision": "", "verdict": "good"}
    second = Row(number=2, origin=1, runs=True, here=True, **good)
    tables.releases(Console(), (second, first), as_json=False)
    assert out()[1:] == [
        ["2", "(is", "1)", "noon", "c" * 12, "1.0", "anna@web-1", "good", "runs"],
        ["1", "noon", "a" * 12, "1.0", "b" * 12, "anna@web-1", "rolled", "back", "image", "gone"],
    ]

    tables.releases(Console(), (second,), as_json=True)
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["number"], told["digest"], told["runs"]) == (2, f"sha256:{'c' * 64}", True)


def test_prediction(capsys):
    """A prediction is shown as it was asked and answered."""
    case = Golden(name="one", request={"district": "Zürich"}, expected={})
    answer = Answer(status=200, body='{"predicted_price": 1.5}')
    tables.prediction(Console(), "http://127.0.0.1:8000/predict", case, answer)

    assert capsys.readouterr().out.splitlines() == [
        "POST http://127.0.0.1:8000/predict",
        '{"district": "Zürich"}',
        '{"predicted_price": 1.5}',
    ]


def test_announcer(out):
    """Each probe is one line as it ends, and nothing where the whole will be JSON."""
    tables.announcer(Console(), as_json=False)(RESULT)
    assert out() == [["fail", "health", "500:", "no"]]

    tables.announcer(Console(), as_json=True)(RESULT)
    assert out() == []


def test_settings(out, capsys, project):
    """Every setting is shown with its value and its source, as a table or as JSON, and secrets as a mask."""
    (project / "pyproject.toml").write_text("[tool.dockyard.build]\nargs = { ONE = '1' }\n")
    loaded = load(
        {"run.port": 7}, start=project, environment={"DOCKYARD_NETWORK_INDEX_URL": f"https://u:{SECRET}@host/simple"}
    )
    tables.settings(Console(), loaded, as_json=False)
    rows = {words[0]: words[1:] for words in out()}

    assert set(keys()) <= rows.keys()
    assert rows["run.port"] == ["7", "argument"]
    assert rows["run.name"] == ["api-prod", "default"]
    assert rows["build.args"] == ["{'ONE':", "'1'}", "pyproject.toml"]
    assert rows["network.index_url"] == ["**********", "environment"]
    assert not any(SECRET in "".join(words) for words in rows.values())

    tables.settings(Console(), loaded, as_json=True)
    told = capsys.readouterr().out
    assert [each["key"] for each in json.loads(told)] == list(keys())
    assert {"key": "run.port", "value": "7", "from": "argument"} in json.loads(told)
    assert SECRET not in told
