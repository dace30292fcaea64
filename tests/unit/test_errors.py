from __future__ import annotations

import pytest

from dockyard import errors
from dockyard.errors import DockyardError
from support import sentences

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DockyardError)]


def test_exit_codes():
    """Every kind of error has an exit code of its own, and they are the documented ones."""
    assert {kind.__name__: kind.exit_code for kind in KINDS} == {
        "DockyardError": 1,
        "SettingsError": 2,
        "EngineError": 3,
        "BuildError": 4,
        "AuditError": 5,
        "UnhealthyError": 6,
        "DeployError": 7,
        "Interrupted": 130,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_three_lines(kind):
    """An error prints what happened, why, and what to do next."""
    error = kind("It broke.", "It was old.", "Buy another.")

    assert sentences(error) == ("It broke.", "It was old.", "Buy another.")
    assert str(error).splitlines() == ["It broke.", "It was old.", "Buy another."]


def test_tree_in_docstring():
    """The tree at the top of the module names every kind with its code."""
    for kind in KINDS:
        line = next(line for line in (errors.__doc__ or "").splitlines() if kind.__name__ in line)
        assert f" {kind.exit_code} " in f"{line} "
