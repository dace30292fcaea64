"""pyproject.toml [tool.dockyard], environment and arguments -> frozen Settings; the only reader of any of them."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from dockyard.errors import SettingsError
from dockyard.settings.fields import PATTERNS
from dockyard.settings.schema import Settings
from dockyard.settings.sources import (
    PREFIX,
    Source,
    find_root,
    leaves,
    merge,
    process_environment,
    put,
    read_environment,
    read_pyproject,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

__all__ = ["Loaded", "Settings", "Source", "keys", "load"]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Settings, and where each value that is not a default came from, by dotted key."""

    settings: Settings
    sources: Mapping[str, Source]

    def source(self, key: str) -> Source:
        """Return where a value came from; of a table, the strongest of its keys' sources."""
        return _source(key, self.sources, Source.DEFAULT)


def load(
    arguments: Mapping[str, Any] | None = None,
    *,
    start: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """Read every source and return the settings.

    Args:
        arguments: Dotted keys given on the command line; None and empty values were not given, but for a build
            argument, which may be empty.
        start: Where to look for pyproject.toml, upwards; default the working folder.
        environment: Default the process environment.

    Raises:
        SettingsError: Something is wrong; all of it is in `why`, a line each.
    """
    root = find_root((start or Path.cwd()).resolve())
    given: dict[str, Any] = {}
    for key, value in (arguments or {}).items():
        if value not in (None, "", (), [], {}) or key.startswith("build.args."):
            put(given, key, value)
    variables = {PREFIX + key.replace(".", "_").upper(): key for key in keys()}
    from_environment, unknown = read_environment(
        process_environment() if environment is None else environment, variables
    )
    trees = {
        Source.PYPROJECT: read_pyproject(root),
        Source.ENVIRONMENT: from_environment,
        Source.ARGUMENT: given,
    }
    merged: dict[str, Any] = {"root": root}
    sources: dict[str, Source] = {}
    for source, tree in trees.items():
        merged = merge(merged, tree)
        sources.update({key: source for key, _ in leaves(tree)})
    problems = [_unknown_variable(name, variables) for name in unknown]
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        problems += [_problem(detail, sources) for detail in error.errors(include_url=False)]
    if problems:
        count = "One setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        raise SettingsError(
            f"{count} wrong; nothing was done.", "\n".join(problems), "Every key is described in docs/settings.md."
        )
    return Loaded(settings=settings, sources=sources)


def keys(model: type[BaseModel] = Settings, above: str = "") -> Iterator[str]:
    """Yield every dotted key that can be set, for instance `run.port`."""
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def _problem(detail: ErrorDetails, sources: Mapping[str, Source]) -> str:
    """Say one error of pydantic as: place, rule, suggestion."""
    key = ".".join(part for part in detail["loc"] if isinstance(part, str))
    if detail["type"] == "extra_forbidden":
        known = dict.fromkeys(part for each in keys() for part in (each, each.rpartition(".")[0]))
        near = get_close_matches(key, known, n=1)
        return f"{_place(key, Source.PYPROJECT)}: no such key{_suggestion(near)}"
    rule = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "string_pattern_mismatch":
        rule = f"must be {PATTERNS[detail['ctx']['pattern']]}"
    # A table may hold a secret, which is then the very mistake; so may an address.
    hidden = key.startswith(("network", "cache", "dev.key", "push.password")) or detail["type"] == "value_error"
    told = isinstance(detail["input"], str | int | float) and not hidden
    value = f" (it is {detail['input']!r})" if told else ""
    return f"{_place(key, _source(key, sources, Source.PYPROJECT))}: {rule}{value}"


def _source(key: str, sources: Mapping[str, Source], default: Source) -> Source:
    """Return the strongest source of a key, of a table above it or of a key below it."""
    given = {at for each, at in sources.items() if f"{each}.".startswith(f"{key}.") or key.startswith(f"{each}.")}
    return max(given, key=list(Source).index, default=default)


def _place(key: str, source: Source) -> str:
    """Name the place a person must edit."""
    if source is Source.ENVIRONMENT:
        return PREFIX + key.replace(".", "_").upper()
    if source is Source.ARGUMENT:
        return "--build-arg" if key.startswith("build.args") else f"--{key.rsplit('.', maxsplit=1)[-1]}"
    table, _, name = key.rpartition(".")
    return f"pyproject.toml [{'.'.join(filter(None, ('tool.dockyard', table)))}] {name}"


def _unknown_variable(name: str, variables: Mapping[str, str]) -> str:
    return f"{name}: no such variable{_suggestion(get_close_matches(name, list(variables), n=1))}"


def _suggestion(near: list[str]) -> str:
    return f"; did you mean {near[0]}?" if near else "."
