from __future__ import annotations

import pytest
from docker.utils.build import PatternMatcher

from dockyard.engines.dockerignore import read_pattern


@pytest.mark.parametrize(
    ("written", "cleaned", "exception"),
    [
        ("a", "a", False),
        ("  a b \t", "a b", False),
        ("!a", "a", True),
        (" ! /a/", "a", True),
        ("/a", "a", False),
        ("//a//b/", "a/b", False),
        ("./a/../b/.", "b", False),
        ("../a", "../a", False),
        ("/", "/", False),
        (".", ".", False),
        ("**/a/", "**/a", False),
        (" #a", "#a", False),
    ],
)
def test_read(written, cleaned, exception):
    """A pattern is cleaned as a path is; white space around it and a leading slash do not count."""
    pattern = read_pattern(written, 7)

    assert pattern is not None
    assert (pattern.cleaned, pattern.exception, pattern.line, pattern.text) == (cleaned, exception, 7, written.strip())


@pytest.mark.parametrize("written", ["", " ", "\t\r", "# a", "#"])
def test_no_pattern(written):
    """Empty lines and comments, which begin with their mark, hold no pattern."""
    assert read_pattern(written, 1) is None


@pytest.mark.parametrize("written", ["!", "! ", "!/", "[", "a[b", "[]", "[^]", "[b-a]", "[a-]", "[-a]", "a\\", "[a\\"])
def test_refused(written):
    """What the engine does not take as a pattern is refused."""
    with pytest.raises(ValueError, match=r"\.$"):
        read_pattern(written, 1)


@pytest.mark.parametrize(
    ("written", "yes", "no"),
    [
        ("a", ["a"], ["A", "b/a", "a/b", "ab"]),
        ("*", ["a", ".a"], ["a/b"]),
        ("a*b", ["ab", "a.b"], ["a/b", "abc"]),
        ("?", ["a", "é"], ["/", "ab", ""]),
        ("*/b", ["a/b"], ["b", "a/c/b"]),
        ("**", ["a", "a/b"], []),
        ("**/b", ["b", "a/b", "a/c/b"], ["ab", "a/b/c"]),
        ("**b", ["b", "ab", "a/b", "a/cb"], ["ba"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "b/a/c"]),
        ("a**", ["a", "ab", "ab/c"], ["ba"]),
        ("a/**/b", ["a/b", "a/c/b", "a/c/d/b"], ["ab", "a/cb"]),
        ("**/*.b", ["a.b", "x/a.b"], ["x/ab", "a.bc"]),
        ("[ab]", ["a", "b"], ["c", "[ab]"]),
        ("[^ab]", ["c", "!"], ["a", "b"]),
        ("[!ab]", ["!", "a"], ["c"]),
        ("[a-c]", ["a", "b", "c"], ["d", "-"]),
        ("[a\\]]", ["a", "]"], ["\\", "b"]),
        ("[a[]", ["a", "["], ["]"]),
        ("\\*", ["*"], ["a", "\\*"]),
        ("a\\b", [], ["a\\b", "ab"]),
        ("a.b+(c)|{d}$", ["a.b+(c)|{d}$"], ["axb+(c)|{d}$"]),
        ("a]", ["a]"], ["a"]),
    ],
)
def test_matches(written, yes, no):
    """A pattern matches what it matches for the engine, and nothing else."""
    pattern = read_pattern(written, 1)

    assert pattern is not None
    assert [path for path in (*yes, *no) if pattern.matches(path)] == yes


@pytest.mark.parametrize(
    ("written", "folder", "reaches"),
    [
        ("!a/b", "a", True),
        ("!a/b/c", "a/b", True),
        ("!a", "a", False),
        ("!ab", "a", False),
        ("!a/b", "c", False),
        ("!*", "a", True),
        ("!**/b", "a/c", True),
        ("!a/*/b", "a/c", True),
        ("!a/*/b", "c", False),
        ("!a/x*", "a", True),
        ("!a/x*", "a/y", False),
        ("!a/x*", "a/xy", True),
        ("!a\\b", "c", False),
    ],
)
def test_reaches_below(written, folder, reaches):
    """A folder is passed over only if the pattern can match nothing in it."""
    pattern = read_pattern(written, 1)

    assert pattern is not None
    assert pattern.reaches_below(folder) is reaches


@pytest.mark.parametrize(
    ("pattern", "path", "excluded"),
    [
        (".ENV", ".env", False),
        ("[^a]", "b", True),
        ("\\*", "*", True),
        ("**.pyc", "a.pyc", True),
        ("**/x", "a/b/x/c", True),
    ],
)
def test_the_sdk_matches_otherwise(pattern, path, excluded):
    """The docker SDK's own matcher is wrong where ours is right; once it is not, ours can go."""
    ours = read_pattern(pattern, 1)

    assert ours is not None
    assert any(ours.matches(path[:end]) for end in (len(path), path.rfind("/"))) is excluded
    assert PatternMatcher([pattern]).matches(path) is not excluded
