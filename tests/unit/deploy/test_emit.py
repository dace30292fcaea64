from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from dockyard.deploy.emit import Block, emit, emit_all

# What YAML 1.1 or 1.2, and the readers between them, take for a truth, a number, a time or nothing.
AMBIGUOUS = [
    *("yes", "No", "on", "OFF", "y", "N", "true", "FALSE", "null", "Null", "~", ".inf", "-.INF", ".nan", "=", "<<"),
    *("-", "1", "1.0", "0o14", "014", "0x1f", "1e3", "1_000", "1:30", ".5", "+1", "2026-11-23"),
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.dictionaries(TEXT, TEXT, max_size=4))
@example({"A": "x: y", "B": "# no comment", "C": " ", "D": "a\n b\r\n", "E": "\u0085\u2028\ufeff", "F": "- a"})
@example({word: word for word in AMBIGUOUS})
def test_round_trip(variables):
    """Variables of any text come back as they were, and as text."""
    assert yaml.safe_load(emit({"data": variables})) == {"data": variables}


@pytest.mark.parametrize("word", ["", *AMBIGUOUS])
def test_ambiguous(word):
    """What some reader of YAML would take for anything but text is in quotes, as a value and as a name."""
    assert emit({word: [word]}).count(f'"{word}"') == 2


@pytest.mark.parametrize("word", ["http", "/health", "on-failure:5", f"r.corp:5000/a@sha256:{'0' * 64}", "a.b/c_d"])
def test_plain(word):
    """What everybody reads as text has no quotes, so that a person reads it with ease."""
    assert emit({"key": word}) == f"key: {word}\n"


def test_order():
    """Mappings keep their order, the same value is written twice, and lists are indented below their key."""
    same = ["b"]
    assert emit({"z": same, "a": same}) == "z:\n  - b\na:\n  - b\n"


def test_block():
    """A text that is marked so is shown in lines, and comes back whole."""
    text = emit({"patch": Block("a: 1\nb: 2\n")})
    assert text == "patch: |\n  a: 1\n  b: 2\n"
    assert yaml.safe_load(text) == {"patch": "a: 1\nb: 2\n"}


def test_documents():
    """Each document begins with its comment, every line of it marked as one."""
    assert emit_all([("why\nso", {"a": 1}), ("", {"b": 2})]) == "---\n# why\n# so\na: 1\n---\nb: 2\n"
