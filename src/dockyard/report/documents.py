"""What our JSON documents have in common: a schema that is published, and texts that do nothing to a terminal."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from dockyard.report.words import harmless


def schema(name: str, version: int) -> Any:
    """Return the JSON Schema of a document, for instance that of `size`, version 1."""
    return json.loads(resources.files("dockyard.report").joinpath(f"{name}-{version}.schema.json").read_text("utf-8"))


def all_harmless(value: Any) -> Any:
    """Return a document whose texts can be written as UTF-8 and do nothing to a terminal."""
    if isinstance(value, dict):
        return {key: all_harmless(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [all_harmless(each) for each in value]
    return harmless(value) if isinstance(value, str) else value
