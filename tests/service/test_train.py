"""Training: from rows to a file the service accepts."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest

from house_pricing import contract as contracts
from house_pricing import dataset, export, generator, model, train
from house_pricing.features import encode

from .conftest import SHIPPED

if TYPE_CHECKING:
    from pathlib import Path

FEATURES = generator.features(tuple(sorted(generator.LEVEL)))
COLUMNS = [feature.name for feature in FEATURES] + [generator.TARGET]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 600 generated listings."""
    path = tmp_path_factory.mktemp("model") / "small.onnx"
    assert train.main(["--output", str(path), "--rows", "600", "--seed", "3"]) == 0
    return path


def write_csv(path: Path, rows: list[list[str]], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)
    return path


def listings_as_rows(count: int) -> list[list[str]]:
    rows = [["" if row[name] is None else str(row[name]) for name in COLUMNS] for row in generator.generate(count, 5)]
    return [COLUMNS, *rows]


def test_trained_file_is_served(small: Path) -> None:
    """Model, digest and golden rows are written, and the service's own checks accept them."""
    served = model.load(small, 10_000_000, "test")
    golden = json.loads(small.with_suffix(".golden.json").read_text())
    assert golden["sha256"] == served.sha256
    assert golden["tolerance_is"] == "relative"
    assert [case["name"] for case in golden["cases"]] == [row.name for row in served.contract.golden]
    assert sorted(file.name for file in small.parent.iterdir()) == [
        "small.golden.json", "small.onnx", "small.onnx.sha256",
    ]  # fmt: skip


def test_same_seed_same_bytes(small: Path, tmp_path: Path) -> None:
    """Another process, with another hash seed and another thread count, writes the same bytes."""
    again = tmp_path / "small.onnx"
    command = [sys.executable, "-m", "house_pricing.train", "--output", str(again), "--rows", "600", "--seed", "3"]
    environ = {**os.environ, "PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=environ, capture_output=True)
    assert again.read_bytes() == small.read_bytes()


def test_other_seed_other_model(small: Path, tmp_path: Path) -> None:
    """The seed is not decoration."""
    assert train.main(["--output", str(tmp_path / "o.onnx"), "--rows", "600", "--seed", "4"]) == 0
    assert (tmp_path / "o.onnx").read_bytes() != small.read_bytes()


def test_time_comes_from_outside_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file holds the time the build is told to have, or none."""
    listings = list(generator.generate(300, 1))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert train.train(listings, "d", 0, "1")[1].trained_at is None
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert train.train(listings, "d", 0, "1")[1].trained_at == "1970-01-01T00:00:00+00:00"


def test_missing_and_rare_values_have_a_price(small: Path) -> None:
    """Absent facts and an unknown department are priced, not refused."""
    served = model.load(small, 10_000_000, "test")
    bare = {"surface_m2": 50, "rooms": 2, "property_type": "apartment", "postal_code": "00000"}
    assert served.predict([encode(served.contract.features, bare)])[0].price > 0


def test_rare_departments_are_one_category() -> None:
    """A department seen too seldom is not in the list."""
    rows = [{"place": "75001"}] * 5 + [{"place": "69001"}] * 4
    assert dataset.frequent(rows, "place", 2, 5) == ("75",)


def test_shipped_model_is_honest() -> None:
    """The interval holds about as often as it promises, more surface never costs less, and the data is named."""
    served = model.load(SHIPPED, 10_000_000, "test")
    contract = served.contract
    assert abs(contract.spread.measured - contract.spread.coverage) < 0.02
    base = dict(contract.golden[0].request)
    rows = [encode(contract.features, {**base, "surface_m2": surface}) for surface in range(9, 1000, 7)]
    prices = [estimate.price for estimate in served.predict(rows)]
    assert prices == sorted(prices)
    assert contract.data.startswith("synthetic: ")
    assert SHIPPED.stat().st_size < 2_000_000


def test_exported_model_is_compared_row_by_row(shipped: bytes) -> None:
    """An export that differs from scikit-learn on one row is not written."""
    served = model.from_bytes(shipped, hashlib.sha256(shipped).hexdigest(), "test")
    rows = np.array([encode(served.contract.features, row.request) for row in served.contract.golden], np.float32)
    prices = np.array([row.expected.predicted_price for row in served.contract.golden])
    export.verify(shipped, rows, prices)
    prices[3] *= 1.001
    with pytest.raises(export.ExportError, match="row 3"):
        export.verify(shipped, rows, prices)


def test_no_pickle_in_the_file(shipped: bytes) -> None:
    """The file is ONNX with one text of metadata, and only standard operators."""
    loaded = onnx.load_from_string(shipped)
    assert [entry.key for entry in loaded.metadata_props] == [contracts.METADATA_KEY]
    assert {node.domain for node in loaded.graph.node} <= {"", "ai.onnx.ml"}
    assert not loaded.functions
    assert [opset.domain for opset in loaded.opset_import] == ["", "ai.onnx.ml"]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_csv_gives_what_the_generator_gave(tmp_path: Path, delimiter: str) -> None:
    """Written to a file and read again, listings are the same."""
    rows, bad = dataset.read_csv(write_csv(tmp_path / "d.csv", listings_as_rows(50), delimiter), FEATURES)
    assert bad == []
    assert rows == list(generator.generate(50, 5))


def test_bad_rows_are_reported_by_line_and_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every unusable row is named; nothing is trained until the user says so, and then the file says it too."""
    rows = listings_as_rows(300)
    rows[2][0] = "5"
    rows[4][COLUMNS.index("price")] = "free"
    rows[6][COLUMNS.index("surface_m2")] = "81,5"
    rows[8].append("more")
    data, output = write_csv(tmp_path / "d.csv", rows), tmp_path / "m.onnx"
    assert train.main(["--data", str(data), "--output", str(output)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{data}:3: surface_m2 must be a number from 9 to 1000 m²",
        f"{data}:5: price must be a number above 0",
        f"{data}:7: surface_m2 must be a number from 9 to 1000 m²",
        f"{data}:9: has 10 cells where the header has 9",
        f"4 rows of {data} cannot be used (--skip-bad-rows leaves them out)",
    ]
    assert not output.exists()
    assert train.main(["--data", str(data), "--output", str(output), "--skip-bad-rows"]) == 0
    assert model.load(output, 10_000_000, "t").contract.data == "d.csv, 296 listings, 4 bad rows left out; seed 0"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"", "has no column surface_m2"),
        (b"\xff\xfe", "cannot be read"),
        (b"surface_m2,rooms\n", "has no column property_type, postal_code, price"),
        (",".join([*COLUMNS, "rooms"]).encode(), "has two columns 'rooms'"),
        (",".join(COLUMNS).encode(), "0 usable rows are too few"),
    ],
)
def test_file_that_cannot_be_trained_on_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    """A file that is absent, not text, without a column or without rows gives one line and exit code 2."""
    path = tmp_path / "d.csv"
    if content is not None:
        path.write_bytes(content)
    assert train.main(["--data", str(path), "--output", str(tmp_path / "m.onnx")]) == 2
    assert said in capsys.readouterr().err
