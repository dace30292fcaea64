"""Golden predictions: requests that are kept with the numbers that their answers must hold."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockyard.errors import SettingsError
from dockyard.smoke.target import OK, Result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.settings import Settings
    from dockyard.smoke.target import Answer


@dataclass(frozen=True, kw_only=True)
class Golden:
    """A stored request and the numbers that its answer must hold."""

    name: str
    request: Any
    expected: Mapping[str, Any]


def read_golden(settings: Settings) -> tuple[Golden, ...]:
    """Return the golden predictions; none if no file is set.

    Raises:
        SettingsError: The file is missing or is not of its form.
    """
    if not settings.smoke.golden or not settings.smoke.predict:
        return ()
    path: Path = settings.root / settings.smoke.golden
    try:
        cases = json.loads(path.read_text("utf-8"))["cases"]
        return tuple(
            Golden(name=each["name"], request=each["request"], expected={**each["expected"]}) for each in cases
        )
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise SettingsError(
            f"The golden predictions in {path} cannot be read.",
            f"{type(error).__name__}: {error}",
            'Its form is {"cases": [{"name": …, "request": …, "expected": {"predicted_price": …}}]}.',
        ) from error


def compare(case: Golden, answer: Answer, tolerance: float) -> Result:
    """Hold an answer against a golden prediction; numbers may differ by a relative `tolerance`."""
    name = f"golden prediction: {case.name}"
    document = answer.document
    if answer.status != OK or not isinstance(document, dict):
        return Result(probe=name, verdict="fail", evidence=str(answer))
    told = []
    for field, expected in case.expected.items():
        value = document.get(field)
        if not _same(value, expected, tolerance):
            return Result(probe=name, verdict="fail", evidence=f"{field} is {value!r}, expected {expected!r}")
        told.append(f"{field} = {value}")
    return Result(probe=name, verdict="pass", evidence=", ".join(told))


def _same(value: Any, expected: Any, tolerance: float) -> bool:
    """Whether two values are the same; true and false are no numbers, though Python counts with them."""
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    if isinstance(value, int | float) and isinstance(expected, int | float):
        return math.isclose(value, expected, rel_tol=tolerance)
    return bool(value == expected)
