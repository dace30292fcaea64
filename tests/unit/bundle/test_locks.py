"""Which locks a build has."""

from __future__ import annotations

import pytest

from dockyard import bundle
from dockyard.errors import SettingsError

from . import made


@pytest.fixture
def found(tmp_path):
    """Return the names of the locks of a project with these files."""

    def found(files, *named):
        for name, text in files.items():
            path = tmp_path / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        root = tmp_path / "project"
        return [lock.name for lock in bundle.locks_of(root, root, root / "Dockerfile", named)]

    return found


def test_admitted(found):
    """Every hashed text file that the context admits is a lock; others, and what is ignored, are none."""
    files = {
        "requirements/a.txt": made.TEXT,
        "b.txt": made.TEXT,
        "dev.txt": made.TEXT,
        "notes.txt": "alpha\n",
        "lock.toml": made.TEXT,
        ".dockerignore": "dev.txt\n",
    }
    assert found(files) == ["b.txt", "requirements/a.txt"]


def test_named(found):
    """Locks that the settings name are taken in place of those, also from outside the context."""
    assert found({"a.txt": made.TEXT, "b.txt": made.TEXT, ".dockerignore": "*\n"}, "b.txt") == ["b.txt"]


@pytest.mark.parametrize(
    ("files", "named", "told"),
    [
        ({}, ["none.txt"], "The lock none.txt cannot be read."),
        ({"a.txt": made.TEXT + "beta\n"}, [], "a.txt locks not all that it names"),
        ({"../a.txt": made.TEXT}, ["../a.txt"], "The lock ../a.txt cannot go into a bundle."),
        ({".hidden/a.txt": made.TEXT}, [], "The lock .hidden/a.txt cannot go into a bundle."),
    ],
)
def test_refused(found, files, named, told):
    """A lock that is not there, is loose, or leads out of the project is refused before anything is fetched."""
    with pytest.raises(SettingsError) as caught:
        found(files, *named)
    assert caught.value.what.startswith(told)


def test_loose_line_is_named(found):
    """The line that locks nothing is named."""
    with pytest.raises(SettingsError) as caught:
        found({"a.txt": made.TEXT + "beta==1\n"})
    assert caught.value.why == "a.txt:5 beta==1 has no SHA-256 hash."
