"""What `import dockyard` promises."""

from __future__ import annotations

import json
import subprocess
import sys

import dockyard

HEAVY = {"docker", "invoke", "pydantic", "python_on_whales", "rich"}


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a statement loads in a fresh interpreter, beyond those it starts with."""
    script = (
        "import json, sys; before = set(sys.modules); "
        f"{statement}; "
        "print(json.dumps(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, check=True)
    return set(json.loads(done.stdout))


def test_names_are_few_and_there():
    """The package says what is public, at most ten names, and each can be imported."""
    assert 0 < len(dockyard.__all__) <= 10
    assert [name for name in dockyard.__all__ if not hasattr(dockyard, name)] == []


def test_import_is_cheap():
    """Importing the package loads none of the libraries that stand behind its doors."""
    loaded = loaded_by("import dockyard")
    assert "dockyard" in loaded
    assert loaded & HEAVY == set()


def test_listing_tasks_is_cheap():
    """The task collection needs Invoke alone: `invoke --list` must not pay for an engine's libraries."""
    assert loaded_by("import dockyard.tasks") & HEAVY == {"invoke"}
