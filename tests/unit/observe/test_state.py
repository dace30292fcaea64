from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from dockyard.observe.state import last_prediction, measure, moment, uptime
from dockyard.settings.logs import Logs
from support import recorded

LINES = recorded("engine/log-pricing.txt").splitlines()


def test_last_prediction():
    """The last answered prediction of the real service's log is told; the one after it was refused, and is none."""
    found = last_prediction(LINES, "/predict", Logs())

    assert (found.milliseconds, found.status) == (1.363, 200)
    assert found.time == datetime(2026, 11, 23, 8, 25, 45, 184000, tzinfo=UTC)


@pytest.mark.parametrize(
    "lines", [[], ["plain"], LINES[:-2], ['{"route": "/predict"}', '{"route": "/predict", "ms": "1"}']]
)
def test_no_prediction(lines):
    """A log that tells of none gives none."""
    assert last_prediction(lines, "/predict", Logs()) is None


def test_prediction_by_other_names():
    """Another service names route and milliseconds as it likes."""
    names = Logs(route=("url",), milliseconds=("took",))

    assert last_prediction(['{"url": "/score", "took": 7}'], "/score", names).milliseconds == 7


def test_uptime():
    """Seconds since the engine's time; never fewer than none, and none for what never started."""
    now = datetime(2026, 11, 23, 8, 0, 10, tzinfo=UTC)

    assert uptime("2026-11-23T08:00:00.5Z", now=now) == pytest.approx(9.5)
    assert uptime("2026-11-23T08:00:11.123456789Z", now=now) == 0
    assert uptime("0001-01-01T00:00:00Z", now=now) is None
    assert moment("") is None


def test_measure(tmp_path):
    """A folder's files are counted with those below it; links are not followed."""
    (tmp_path / "models").mkdir()
    (tmp_path / "one.log").write_bytes(b"x" * 10)
    (tmp_path / "models" / "two").write_bytes(b"x" * 5)
    (tmp_path / "link").symlink_to("/etc/services")
    found = measure(str(tmp_path))

    assert found.files == 3
    assert found.bytes == 15 + os.lstat(tmp_path / "link").st_size


@pytest.mark.parametrize("path", ["", "/nowhere", "a-volume"])
def test_not_measured(path):
    """A folder that is not there, or is none of this host, is not known."""
    assert measure(path) is None
