"""The marks of secrets."""

from __future__ import annotations

import json
import stat

from dockyard.explain import marks
from dockyard.explain.marks import MARKS, MOST_VALUES


def test_one_for_each_value(bench):
    """The same value has the same mark, another one another; each secret has its own."""
    token, other = bench.write("../token", "one"), bench.write("../other", "one")
    given = {"token": token, "other": other, "gone": token.with_name("gone")}
    first = marks(given, bench.state)
    token.write_text("two")
    second = marks(given, bench.state)
    token.write_text("one")

    assert sorted(first) == ["other", "token"]
    assert first["token"] != first["other"]
    assert (second["token"] != first["token"], second["other"] == first["other"]) == (True, True)
    assert marks(given, bench.state) == first


def test_kept(bench):
    """What is kept is for its owner alone, holds no value, and does not grow for ever."""
    token = bench.write("../token", "hunter0")
    found = [marks({"token": token}, bench.state)["token"]]
    for number in range(1, MOST_VALUES + 2):
        token.write_text(f"hunter{number}")
        found.append(marks({"token": token}, bench.state)["token"])

    path = bench.state.folder / MARKS
    kept = json.loads(path.read_text())["token"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [mark for _, mark in kept] == found[-MOST_VALUES:]
    assert "hunter" not in path.read_text()


def test_damaged(bench):
    """A damaged file is as good as none."""
    token = bench.write("../token", "one")
    first = marks({"token": token}, bench.state)
    (bench.state.folder / MARKS).write_text("{")

    assert marks({"token": token}, bench.state) != first
