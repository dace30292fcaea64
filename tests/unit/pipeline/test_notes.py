from __future__ import annotations

import pytest

from dockyard.errors import SettingsError
from dockyard.pipeline.notes import release_notes
from support import sentences

TEXT = """# Changes

## [Unreleased]

- new

## [1.2.3] - 2026-01-01

### Added

- old

## 1.0

- first

## [0.9]
"""


@pytest.mark.parametrize(
    ("version", "notes"),
    [("", "### Added\n\n- old"), ("v1.2.3", "### Added\n\n- old"), ("Unreleased", "- new"), ("1.0", "- first")],
)
def test_notes(settings, version, notes):
    """A release has what stands under its heading, and the project's own version is taken where none is named."""
    (settings.root / "CHANGELOG.md").write_text(TEXT)
    assert release_notes(settings, version) == notes


@pytest.mark.parametrize("version", ["9.9", "0.9", "1.2"])
def test_unknown(settings, version):
    """A release of which nothing is said is refused, with those that are there."""
    (settings.root / "CHANGELOG.md").write_text(TEXT)
    with pytest.raises(SettingsError) as caught:
        release_notes(settings, version)
    what, why, _ = sentences(caught.value)
    assert what == f"CHANGELOG.md says nothing of {version}."
    assert "1.2.3" in why


def test_no_changelog(settings):
    """Without a changelog there are no notes."""
    with pytest.raises(SettingsError) as caught:
        release_notes(settings)
    assert sentences(caught.value)[0] == "CHANGELOG.md cannot be read."
