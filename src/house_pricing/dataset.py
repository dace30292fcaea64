"""Listings to train on: from a CSV file, every row checked like a request, or as they come from the generator."""

from __future__ import annotations

import csv
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from house_pricing import schema
from house_pricing.generator import TARGET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from house_pricing.features import Feature
    from house_pricing.generator import Listing


class DataError(Exception):
    """The file cannot be trained on; the text says why."""


@dataclass(frozen=True)
class BadRow:
    """A row that is not used, and why."""

    line: int
    reason: str


def read_csv(path: Path, features: tuple[Feature, ...]) -> tuple[list[Listing], list[BadRow]]:
    """The usable rows of a file, and the others with their line and reason.

    The first line names the columns: the features and `price`, separated by commas or semicolons; an empty cell
    is a missing value. Other columns are not read.

    Raises:
        DataError: The file cannot be read, or a column is missing.
    """
    request_type = schema.request_model(features)
    good: list[Listing] = []
    bad: list[BadRow] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = stream.readline()
            delimiter = ";" if header.count(";") > header.count(",") else ","
            columns = next(csv.reader([header], delimiter=delimiter), [])
            _check_columns(path, columns, features)
            reader = csv.reader(stream, delimiter=delimiter)
            for cells in reader:
                try:
                    good.append(_row(columns, cells, features, request_type))
                except ValueError as error:
                    bad.append(BadRow(reader.line_num + 1, str(error)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    return good, bad


def _check_columns(path: Path, columns: list[str], features: tuple[Feature, ...]) -> None:
    needed = [feature.name for feature in features if feature.required] + [TARGET]
    missing = [name for name in needed if name not in columns]
    if missing:
        raise DataError(f"{path} has no column {', '.join(missing)}")
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise DataError(f"{path} has two columns {twice[0]!r}")


def _row(
    columns: list[str], cells: list[str], features: tuple[Feature, ...], request_type: type[schema.Request]
) -> Listing:
    if len(cells) != len(columns):
        raise ValueError(f"has {len(cells)} cells where the header has {len(columns)}")
    texts = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
    price = _price(texts[TARGET])
    given = {f.name: _value(f, texts[f.name]) for f in features if texts.get(f.name)}
    try:
        row = request_type.model_validate(given).model_dump()
    except ValidationError as error:
        raise ValueError("; ".join(fault.message for fault in schema.explain(error, features))) from None
    return {**row, TARGET: price}


def _price(text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        price = math.nan
    if not 0 < price < math.inf:
        raise ValueError(f"{TARGET} must be a number above 0")
    return price


def _value(feature: Feature, text: str) -> int | float | str:
    if feature.type == "category":
        return text
    try:
        number = float(text)
    except ValueError:
        return text  # refused by the request model, in its words
    return int(number) if feature.type == "integer" and number.is_integer() else number


def frequent(rows: Iterable[Mapping[str, object]], name: str, prefix: int, least: int) -> tuple[str, ...]:
    """The categories seen in at least `least` rows, sorted; the model learns all the others as one."""
    counts = Counter(str(row[name])[:prefix] for row in rows)
    return tuple(sorted(category for category, count in counts.items() if count >= least))
