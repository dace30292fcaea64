"""Rows to train on, from a CSV or Parquet file; every row is checked like a request."""

from __future__ import annotations

import csv
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from house_pricing import schema
from house_pricing.train.generator import TARGET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from house_pricing.features import Feature
    from house_pricing.train.generator import Listing

PARQUET = {".parquet", ".pq"}


class TrainingError(Exception):
    """Training cannot go on: what happened, why, and what to do; one line each."""

    exit_code = 2

    def __init__(self, what: str, why: str, todo: str) -> None:
        super().__init__("\n".join(" ".join(line.split()) for line in (what, why, todo)))


class DataError(TrainingError):
    """The data cannot be trained on."""


@dataclass(frozen=True)
class BadRow:
    """A row that is not used, and why; `line` counts a CSV file's lines, or a Parquet file's rows from 1."""

    line: int
    reason: str


def read(path: Path, features: tuple[Feature, ...]) -> tuple[list[Listing], list[BadRow]]:
    """The usable rows of a file, and the others with their line and reason.

    Columns are the features and `price`; case and underscores in their names do not count, others are not read. An
    empty cell, a null and a NaN are missing values.

    Raises:
        DataError: The file cannot be read, or a column is missing.
    """
    table = _parquet(path) if path.suffix.lower() in PARQUET else _csv(path)
    names = [feature.name for feature in features] + [TARGET]
    request_type = schema.request_model(features)
    good: list[Listing] = []
    bad: list[BadRow] = []
    try:
        columns = _columns(path, next(table)[1], names, features)
        for line, cells in table:
            try:
                good.append(_row(columns, cells, features, request_type))
            except ValueError as error:
                bad.append(BadRow(line, str(error)))
    except (OSError, UnicodeDecodeError, csv.Error, ImportError) as error:
        raise _unreadable(path, error) from error
    return good, bad


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read.", str(error)[:200], "Give a CSV file in UTF-8, or a .parquet file.")


def _csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Lines of cells with the number of the line they end on, the header first."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = stream.readline()
        delimiter = ";" if header.count(";") > header.count(",") else ","
        yield 1, next(csv.reader([header], delimiter=delimiter), [])
        reader = csv.reader(stream, delimiter=delimiter)
        for cells in reader:
            yield reader.line_num + 1, cells


def _parquet(path: Path) -> Iterator[tuple[int, list[str]]]:
    """As `_csv`, with the numbers of rows; values become text, so that both kinds of file are read alike."""
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - 0.1 s that CSV files need not pay
    from pyarrow import parquet  # noqa: PLC0415 - as above

    try:
        with parquet.ParquetFile(path) as file:
            yield 0, [str(name) for name in file.schema_arrow.names]
            number = 0
            for batch in file.iter_batches(batch_size=10_000):
                for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield number, ["" if _absent(cell) else str(cell) for cell in cells]
    except pa.ArrowException as error:
        raise _unreadable(path, error) from error


def _absent(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _plain(name: str) -> str:
    return name.strip().replace("_", "").casefold()


def _columns(path: Path, header: list[str], names: list[str], features: tuple[Feature, ...]) -> list[str]:
    """The header in the features' own names; columns that are not read keep theirs."""
    known = {_plain(name): name for name in names}
    columns = [known.get(_plain(name), name) for name in header]
    optional = {feature.name for feature in features if not feature.required}
    missing = [name for name in names if name not in columns and name not in optional]
    todo = f"Name the columns {', '.join(names)} in the first line; of these, {', '.join(optional) or 'none'} may lack."
    if missing:
        raise DataError(f"{path} has no column {', '.join(missing)}.", f"It has {', '.join(header) or 'none'}.", todo)
    twice = [name for name, count in Counter(columns).items() if count > 1 and name in names]
    if twice:
        raise DataError(f"{path} has two columns {twice[0]!r}.", "Case and underscores do not tell them apart.", todo)
    return columns


def _row(
    columns: list[str], cells: Sequence[str], features: tuple[Feature, ...], request_type: type[schema.Request]
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


def frequent(rows: Iterable[Mapping[str, object]], name: str, prefix: int | None, least: int) -> tuple[str, ...]:
    """The categories seen in at least `least` rows, sorted; the model learns all the others as one."""
    counts = Counter(str(row[name])[:prefix] for row in rows if row[name] is not None)
    return tuple(sorted(category for category, count in counts.items() if count >= least))
