"""Documents held against the schemas that we publish."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema

from dockyard.report.documents import schema


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """Return what a document is held against: the first version of its schema."""
    return jsonschema.Draft202012Validator(schema(name, 1))


def check(told: Any, name: str) -> None:
    """Fail unless a document is of the form that its schema publishes."""
    validator(name).validate(told)
