"""A file of the user's: every row is read or named, and a file that cannot be used says why."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from house_pricing import model, train
from house_pricing.train import dataset, generator, samples

if TYPE_CHECKING:
    from pathlib import Path

FEATURES = samples.SAMPLES["french"].features
COLUMNS = [feature.name for feature in FEATURES] + [generator.TARGET]
FAST = ["--folds", "0"]


def write_csv(path: Path, rows: list[list[str]], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)
    return path


def write_parquet(path: Path, listings: list[dict[str, Any]]) -> Path:
    parquet.write_table(pa.Table.from_pylist(listings), path)
    return path


def listings_as_rows(count: int) -> list[list[str]]:
    rows = [["" if row[name] is None else str(row[name]) for name in COLUMNS] for row in generator.generate(count, 5)]
    return [COLUMNS, *rows]


def spoilt(rows: list[list[str]]) -> list[list[str]]:
    """The rows with a fault in the third, fifth, seventh and ninth line."""
    rows[2][0] = "5"
    rows[4][COLUMNS.index("price")] = "free"
    rows[6][COLUMNS.index("surface_m2")] = "81,5"
    rows[8].append("more")
    return rows


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_csv_gives_what_the_generator_gave(tmp_path: Path, delimiter: str) -> None:
    """Written to a file and read again, listings are the same."""
    rows, bad = dataset.read(write_csv(tmp_path / "d.csv", listings_as_rows(50), delimiter), FEATURES)
    assert bad == []
    assert rows == list(generator.generate(50, 5))


def test_parquet_gives_what_the_generator_gave(tmp_path: Path) -> None:
    """A Parquet file is read like a CSV file; nulls are missing values."""
    rows, bad = dataset.read(write_parquet(tmp_path / "d.parquet", list(generator.generate(50, 5))), FEATURES)
    assert bad == []
    assert rows == list(generator.generate(50, 5))


def test_parquet_rows_are_checked_too(tmp_path: Path) -> None:
    """A NaN is a missing value; a code that lost its leading zero, a flag and a price of none are named by row."""
    listings: list[dict[str, Any]] = [dict(row) for row in generator.generate(5, 5)]
    listings[0]["year_built"] = math.nan
    listings[1]["postal_code"] = "1000"
    listings[2]["price"] = None
    listings[3]["rooms"] = None
    rows, bad = dataset.read(write_parquet(tmp_path / "d.parquet", listings), FEATURES)
    assert [row.line for row in bad] == [2, 3, 4]
    assert "postal_code must be text of the form ^[0-9]{5}$" in bad[0].reason
    assert bad[1].reason == "price must be a number above 0"
    assert bad[2].reason == "rooms is missing; it must be a whole number from 1 to 30"
    assert rows[0]["year_built"] is None


def test_column_names_may_be_spelt_otherwise(tmp_path: Path) -> None:
    """Case and underscores do not count: the usual spelling of the census columns is read as it is."""
    names = ["MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude", "Price"]
    path = write_csv(tmp_path / "d.csv", [names, "8.3,41,6.9,1.02,322,2.55,37.88,-122.23,452600".split(",")])  # noqa: SIM905
    rows, bad = dataset.read(path, samples.SAMPLES["california"].features)
    assert bad == []
    assert (rows[0]["med_inc"], rows[0]["longitude"], rows[0]["price"]) == (8.3, -122.23, 452600)


def test_bad_rows_are_reported_by_line_and_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every unusable row is named; nothing is trained until the user says so, and then the file says it too."""
    data, output = write_csv(tmp_path / "d.csv", spoilt(listings_as_rows(300))), tmp_path / "m.onnx"
    assert train.main(["--data", str(data), "--output", str(output), *FAST]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{data}:3: surface_m2 must be a number from 9 to 1000 m²",
        f"{data}:5: price must be a number above 0",
        f"{data}:7: surface_m2 must be a number from 9 to 1000 m²",
        f"{data}:9: has 10 cells where the header has 9",
        f"4 of 300 rows of {data} cannot be used.",
        "Each is named above.",
        "Correct them, or leave them out with --skip-bad-rows.",
    ]
    assert not output.exists()
    assert train.main(["--data", str(data), "--output", str(output), "--skip-bad-rows", *FAST]) == 0
    assert model.load(output, 10_000_000, "t").contract.data == "d.csv, 296 listings, 4 bad rows left out; seed 0"
    card = output.with_suffix(".md").read_text(encoding="utf-8")
    assert "4 bad rows left out" in card
    assert "Synthetic" not in card


def test_too_many_bad_rows_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When more than one row in ten is bad, leaving them out is no answer."""
    data = write_csv(tmp_path / "d.csv", spoilt(listings_as_rows(39)))
    assert train.main(["--data", str(data), "--output", str(tmp_path / "m.onnx"), "--skip-bad-rows"]) == 2
    assert "More than 10% are bad" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("d.csv", None, "cannot be read"),
        ("d.csv", b"", "has no column surface_m2"),
        ("d.csv", b"\xff\xfe", "cannot be read"),
        ("d.csv", b"surface_m2,rooms\n", "has no column property_type, postal_code, price"),
        ("d.csv", ",".join([*COLUMNS, "rooms"]).encode(), "has two columns 'rooms'"),
        ("d.csv", ",".join([*COLUMNS, "Rooms"]).encode(), "has two columns 'rooms'"),
        ("d.csv", ",".join(COLUMNS).encode(), "0 usable rows are too few"),
        ("d.parquet", None, "cannot be read"),
        ("d.parquet", b"not parquet", "cannot be read"),
    ],
)
def test_file_that_cannot_be_trained_on_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, said: str
) -> None:
    """A file that is absent, damaged, without a column or without rows gives three lines and exit code 2."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert train.main(["--data", str(path), "--output", str(tmp_path / "m.onnx")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert said in lines[0]


def test_rare_categories_are_one() -> None:
    """A category seen too seldom is not in the list, and an absent one is none."""
    rows = [{"place": "75001"}] * 5 + [{"place": "69001"}] * 4 + [{"place": None}] * 9
    assert dataset.frequent(rows, "place", 2, 5) == ("75",)
