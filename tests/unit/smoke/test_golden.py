from __future__ import annotations

import json

import pytest

from dockyard.errors import SettingsError
from dockyard.settings import load
from dockyard.smoke import Answer, Golden, compare, read_golden
from support import sentences


@pytest.mark.parametrize(
    ("expected", "value", "same"),
    [
        (100.0, 100.01, True),
        (100.0, 100.011, False),
        (-100.0, -100.01, True),
        (100, 100.0, True),
        (0.0, 0.0, True),
        (0.0, 1e-9, False),
        (True, True, True),
        (True, 1, False),
        (True, 1.0, False),
        (1, True, False),
        (0, False, False),
        (False, False, True),
        (None, None, True),
        (None, 0, False),
        ([1, 2], [1, 2], True),
        ("1", 1, False),
    ],
)
def test_compare(expected, value, same):
    """Numbers may differ by the relative tolerance; true and false are no numbers."""
    case = Golden(name="one", request={}, expected={"field": expected})
    result = compare(case, Answer(status=200, body=json.dumps({"field": value})), 1e-4)

    assert result.verdict == ("pass" if same else "fail")


def test_compare_refused():
    """An answer that is not 200 is no prediction, whatever it holds."""
    case = Golden(name="one", request={}, expected={})

    assert compare(case, Answer(status=500, body="{}"), 1).verdict == "fail"


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"cases": 5}',
        b'{"cases": [5]}',
        b'{"cases": [{"name": "a", "request": {}}]}',
        b'{"cases": [{"name": "a", "request": {}, "expected": []}]}',
    ],
)
def test_bad_golden_file(project, content):
    """A golden file that is missing or not of its form is the settings' mistake, with the form."""
    path = project / "golden.json"
    if content is not None:
        path.write_bytes(content)
    settings = load({"smoke.golden": "golden.json"}, start=project, environment={}).settings

    with pytest.raises(SettingsError) as caught:
        read_golden(settings)

    what, _, todo = sentences(caught.value)
    assert what == f"The golden predictions in {path} cannot be read."
    assert '{"cases": [' in todo


def test_golden_file(project):
    """Golden predictions are read as they are stored; without a file there are none."""
    case = {"name": "small flat", "request": {"rooms": 3}, "expected": {"predicted_price": 1.5}}
    (project / "golden.json").write_text(json.dumps({"cases": [case]}))
    settings = load({"smoke.golden": "golden.json"}, start=project, environment={}).settings

    assert read_golden(settings) == (Golden(**case),)
    assert read_golden(load({}, start=project, environment={}).settings) == ()
