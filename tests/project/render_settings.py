"""Writes the tables of docs/settings.md from the settings themselves: `python tests/project/render_settings.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

from pydantic import BaseModel, SecretStr

from dockyard.settings import Settings
from dockyard.settings.sources import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
BEGIN, END = "<!-- Written by tests/project/render_settings.py from here -->\n", "<!-- to here -->\n"
HEAD = "| key | default | variable | what it is for |\n|---|---|---|---|"


def tables(model: type[BaseModel] = Settings, name: str = "tool.dockyard") -> Iterator[str]:
    """Yield a heading, a sentence and a table for a table of settings, then for those in it."""
    sections = {key: field.annotation for key, field in model.model_fields.items() if _is_section(field)}
    above = name.removeprefix("tool.dockyard").removeprefix(".")
    yield f"## `[{name}]`"
    yield " ".join((model.__doc__ or "").split())
    yield "\n".join([HEAD, *rows(model, f"{above}." if above else "")])
    for key, section in sections.items():
        yield from tables(section, f"{name}.{key}")


def rows(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Yield a table's row for each of its own keys."""
    for key, field in model.model_fields.items():
        if not (field.exclude or _is_section(field)):
            variable = f"{PREFIX}{above.replace('.', '_')}{key}".upper()
            named = "none; a table" if get_origin(field.annotation) is dict else f"`{variable}`"
            yield f"| `{above}{key}` | {_default(field)} | {named} | {field.description} |"


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _default(field: FieldInfo) -> str:
    value: Any = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if field.is_required() or value in (None, "", (), {}):
        return ""
    return ", ".join(f"`{each}`" for each in (value if isinstance(value, tuple) else (value,)))


def page() -> str:
    """Return the page as it should be: its own words, and the tables."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return before + BEGIN + "\n" + "\n\n".join(tables()) + "\n\n" + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
