"""Reads a settings class as source: which variables a service knows, and which of them are secrets."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.audit.facts.secret_names import secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET_TYPES = ("SecretStr", "SecretBytes", "Secret")


@dataclass(frozen=True, kw_only=True)
class Field:
    """A variable that the service reads."""

    name: str
    secret: bool
    line: int


def fields(code: str, name: str) -> tuple[Field, ...] | None:
    """Return the fields of a class as variables; None if there is no such class.

    A field is an annotated name of the class's body: so dataclasses, attrs classes and pydantic settings have them.
    `env_prefix` of pydantic settings counts. A field is a secret if its default is made with `secret=True` or its type
    is one of pydantic's secrets, or, where it says nothing, if its name sounds like one.

    Raises:
        SyntaxError: It is no Python.
    """
    classes = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ClassDef))
    found = next((node for node in classes if node.name == name), None)
    if found is None:
        return None
    prefix = _prefix(found)
    return tuple(
        Field(name=f"{prefix}{target.id}".upper(), secret=_is_secret(node, target.id), line=node.lineno)
        for node, target in _annotated(found)
    )


def _annotated(found: ast.ClassDef) -> Iterator[tuple[ast.AnnAssign, ast.Name]]:
    for node in found.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            shared = "ClassVar" in ast.unparse(node.annotation)
            if not shared and not node.target.id.startswith("_") and node.target.id != "model_config":
                yield node, node.target


def _prefix(found: ast.ClassDef) -> str:
    """Return `env_prefix` of a pydantic settings class, in its configuration or in its inner Config."""
    for node in ast.walk(found):
        named = node.targets if isinstance(node, ast.Assign) else ()
        is_key = isinstance(node, ast.keyword) and node.arg == "env_prefix"
        is_name = any(getattr(each, "id", "") == "env_prefix" for each in named)
        value = getattr(node, "value", None) if is_key or is_name else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return ""


def _is_secret(node: ast.AnnAssign, name: str) -> bool:
    if any(each in ast.unparse(node.annotation) for each in SECRET_TYPES):
        return True
    for each in ast.walk(node.value) if node.value else ():
        said = each.value if isinstance(each, ast.keyword) and each.arg == "secret" else None
        if isinstance(each, ast.Dict):
            keys = [getattr(key, "value", None) for key in each.keys]
            said = each.values[keys.index("secret")] if "secret" in keys else None
        if isinstance(said, ast.Constant):
            return said.value is True
    return secret_name(name)
