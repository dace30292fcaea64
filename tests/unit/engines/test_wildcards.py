from __future__ import annotations

import pytest

from dockyard.engines.wildcards import wild, wildcard


@pytest.mark.parametrize(
    ("part", "names", "others"),
    [
        ("*.py", ["a.py", ".py", "é.py"], ["a.pyc", "a/b.py"]),
        ("?.py", ["a.py"], [".py", "ab.py"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "x", "-x"]),
        ("[^a-c]x", ["dx", "^x"], ["ax"]),
        ("[!a]x", ["!x", "ax"], ["bx"]),
        (r"[\]a-]x", [], ["]x", "ax", "-x"]),
        (r"[\]a]x", ["]x", "ax"], ["\\x"]),
        (r"\*a", ["*a"], ["xa", r"\*a"]),
        (r"\a", [], ["a", r"\a"]),
        ("a.b", ["a.b"], ["axb"]),
        ("[", [], ["["]),
        ("[]", [], ["[]"]),
        ("[b-a]", [], ["a", "b"]),
        ("a\\", [], ["a", "a\\"]),
    ],
)
def test_wildcard(part, names, others):
    """A part matches as the engine says; `!` in a set is itself, an escape takes the next as it is."""
    assert [each for each in (*names, *others) if wildcard(part).fullmatch(each)] == names


@pytest.mark.parametrize(
    ("part", "expected"), [("a", False), (r"\*", False), ("a*", True), ("?", True), ("[a]", True), ("[", True)]
)
def test_wild(part, expected):
    """What has an escaped wildcard alone has none."""
    assert wild(part) is expected
