"""Where values come from, weakest first: default, pyproject.toml, environment, argument."""

from __future__ import annotations

import os
import tomllib
from enum import Enum
from typing import TYPE_CHECKING, Any

from dockyard.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PREFIX = "DOCKYARD_"
# Read by the tests and the noxfile, and no setting of a build or a run.
SWITCHES = frozenset(
    {"DOCKYARD_REQUIRE_ALL", "DOCKYARD_REQUIRE_ENGINE", "DOCKYARD_TEST_BUILDKIT", "DOCKYARD_TEST_FRONTEND"}
)


class Source(Enum):
    """Where a value was given; its text is how that place is called in an error."""

    DEFAULT = "default"
    PYPROJECT = "pyproject.toml"
    ENVIRONMENT = "environment"
    ARGUMENT = "argument"


def find_root(start: Path) -> Path:
    """Return the nearest folder upwards that holds a pyproject.toml.

    Raises:
        SettingsError: There is none.
    """
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    raise SettingsError(
        "There is no pyproject.toml here.",
        f"It was looked for in {start} and every folder above it.",
        "Go to the project's folder, or make a pyproject.toml with a [tool.dockyard] table.",
    )


def read_pyproject(root: Path) -> dict[str, Any]:
    """Return [tool.dockyard], with `image` and `version` taken from [project] where it does not say them."""
    path = root / "pyproject.toml"
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read.", str(error), "Mend that line; nothing was done.") from error
    tool, project = document.get("tool", {}), document.get("project", {})
    table = tool.get("dockyard", {}) if isinstance(tool, dict) else tool
    if not (isinstance(table, dict) and isinstance(project, dict)):
        raise SettingsError(f"{path} cannot be read.", "[project] and [tool.dockyard] must be tables.", "Mend that.")
    return {"image": project.get("name", root.name), "version": project.get("version", "0"), **table}


def read_environment(environment: Mapping[str, str], keys: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return the tree that DOCKYARD_… variables make, and those that name no key.

    Args:
        environment: The process environment.
        keys: Variable name to dotted key, for instance {"DOCKYARD_RUN_PORT": "run.port"}.
    """
    tree: dict[str, Any] = {}
    unknown = []
    for name, value in environment.items():
        if not name.startswith(PREFIX) or name in SWITCHES:
            continue
        if name in keys:
            put(tree, keys[name], value)
        else:
            unknown.append(name)
    return tree, unknown


def put(tree: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key in a tree of tables."""
    *tables, last = key.split(".")
    for table in tables:
        tree = tree.setdefault(table, {})
    tree[last] = value


def leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every dotted key of a tree of tables and its value."""
    for name, value in tree.items():
        key = f"{above}{name}"
        if isinstance(value, dict):
            yield from leaves(value, f"{key}.")
        else:
            yield key, value


def merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tree in which the values of `above` win."""
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        merged[name] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def process_environment() -> Mapping[str, str]:
    """Return the environment of this process."""
    return os.environ
