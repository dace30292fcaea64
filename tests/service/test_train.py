"""Training: from rows to a file the service accepts."""

from __future__ import annotations

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
from house_pricing import model, train
from house_pricing.features import encode
from house_pricing.train import dataset, evaluate, export, generator, samples, training

from .conftest import SHIPPED

if TYPE_CHECKING:
    from pathlib import Path

FEATURES = samples.SAMPLES["french"].features
ORDER = training.Order(sample=samples.SAMPLES["french"], name="n", version="1", data="d", folds=0)
SMALL = ["--rows", "600", "--seed", "3", "--folds", "2"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 600 generated listings."""
    path = tmp_path_factory.mktemp("model") / "small.onnx"
    assert train.main(["--output", str(path), *SMALL]) == 0
    return path


def test_trained_file_is_served(small: Path) -> None:
    """Model, digest and golden rows are written, and the service's own checks accept them."""
    served = model.load(small, 10_000_000, "test")
    golden = json.loads(small.with_suffix(".golden.json").read_text())
    assert golden["sha256"] == served.sha256
    assert golden["tolerance_is"] == "relative"
    assert [case["name"] for case in golden["cases"]] == [row.name for row in served.contract.golden]
    assert sorted(file.name for file in small.parent.iterdir()) == [
        "small.golden.json", "small.md", "small.onnx", "small.onnx.sha256",
    ]  # fmt: skip


def test_same_seed_same_bytes(small: Path, tmp_path: Path) -> None:
    """Another process, with another hash seed and another thread count, writes the same bytes."""
    again = tmp_path / "small.onnx"
    command = [sys.executable, "-m", "house_pricing.train", "--output", str(again), *SMALL]
    environ = {**os.environ, "PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=environ, capture_output=True)
    assert again.read_bytes() == small.read_bytes()


def test_other_seed_other_model(small: Path, tmp_path: Path) -> None:
    """The seed is not decoration."""
    assert train.main(["--output", str(tmp_path / "o.onnx"), "--rows", "600", "--seed", "4", "--folds", "0"]) == 0
    assert (tmp_path / "o.onnx").read_bytes() != small.read_bytes()


def test_time_comes_from_outside_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file holds the time the build is told to have, or none; what is no time is refused."""
    listings = list(generator.generate(300, 1))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert training.train(listings, ORDER).contract.trained_at is None
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert training.train(listings, ORDER).contract.trained_at == "1970-01-01T00:00:00+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")
    with pytest.raises(dataset.DataError, match="'today', not a number"):
        training.train(listings, ORDER)


def test_missing_and_rare_values_have_a_price(small: Path) -> None:
    """Absent facts and an unknown department are priced, not refused."""
    served = model.load(small, 10_000_000, "test")
    bare = {"surface_m2": 50, "rooms": 2, "property_type": "apartment", "postal_code": "00000"}
    assert served.predict([encode(served.contract.features, bare)])[0].price > 0


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
    with pytest.raises(export.ExportError, match="On row 3 it says"):
        export.verify(shipped, rows, prices)


def test_no_pickle_in_the_file(shipped: bytes) -> None:
    """The file is ONNX with one text of metadata, and only standard operators."""
    loaded = onnx.load_from_string(shipped)
    assert [entry.key for entry in loaded.metadata_props] == [contracts.METADATA_KEY]
    assert {node.domain for node in loaded.graph.node} <= {"", "ai.onnx.ml"}
    assert not loaded.functions
    assert [opset.domain for opset in loaded.opset_import] == ["", "ai.onnx.ml"]


def test_parts_never_meet() -> None:
    """Every row is learnt from, calibrated on or tested on, and only one of these."""
    parts = evaluate.split(1001, 5)
    assert [len(part) for part in parts] == [700, 150, 151]
    assert sorted(np.concatenate(parts)) == list(range(1001))


def test_coverage_is_that_of_unseen_rows(small: Path) -> None:
    """The file's own promise, measured again through the service on the test rows alone, is what it says of itself."""
    served = model.load(small, 10_000_000, "test")
    listings = list(generator.generate(600, 3))
    tested = [listings[index] for index in evaluate.split(600, 3)[2]]
    estimates = served.predict([encode(served.contract.features, listing) for listing in tested])
    inside = [e.low <= float(row["price"] or 0) <= e.high for e, row in zip(estimates, tested, strict=True)]
    assert sum(inside) / len(inside) == pytest.approx(served.contract.spread.measured, abs=1e-4)


def test_rows_that_are_tested_are_not_learnt_from() -> None:
    """Other prices for the calibration and test rows leave the model's answers as they are."""
    listings = list(generator.generate(400, 2))
    unseen = {int(index) for part in evaluate.split(400, 0)[1:] for index in part}
    other = [
        {**row, "price": float(row["price"] or 0) * 3} if index in unseen else row for index, row in enumerate(listings)
    ]
    one, two = (training.train(rows, ORDER).contract for rows in (listings, other))
    assert one.golden == two.golden
    assert two.spread.low > 2 * one.spread.low


def test_too_few_rows_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be trained on is told in three lines, with exit code 2, and nothing is written."""
    assert train.main(["--rows", "199", "--output", str(tmp_path / "m.onnx")]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "199 usable rows are too few.",
        "200 are needed: a part is kept to measure the errors and the interval.",
        "Give more rows.",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", [0, 9])
def test_export_is_exact_at_thresholds(seed: int) -> None:
    """Decimal values that lie on a split of the forest fall on the same side after export."""
    sample = samples.SAMPLES["california"]
    order = training.Order(sample=sample, name="n", version="1", data="d", seed=seed, folds=0)
    assert training.train(list(sample.generate(400, seed)), order).content


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sample", "mars"], "invalid choice: 'mars'"),
        (["--seed", "-1"], "--seed: must be a whole number from 0 to 4294967295"),
        (["--folds", "1"], "leaves nothing to learn from"),
        (["--output", "model.pkl"], "must end in .onnx"),
        (["--model-version", "a b"], "must be up to 60 letters"),
        (["--data", "d.csv", "--rows", "300"], "give one of them"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
)
def test_argument_that_cannot_be_used_is_said(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """A mistake on the command line gives three lines and exit code 2."""
    with pytest.raises(SystemExit) as caught:
        train.main(arguments)
    lines = capsys.readouterr().err.splitlines()
    assert caught.value.code == 2
    assert len(lines) == 3
    assert said in lines[1]


def test_output_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is a file gives three lines, not a traceback."""
    (tmp_path / "file").write_text("")
    assert train.main(["--rows", "300", "--folds", "0", "--output", str(tmp_path / "file" / "m.onnx")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    """The help is there for who has nothing else."""
    with pytest.raises(SystemExit) as caught:
        train.main(["--help"])
    said = capsys.readouterr().out
    assert caught.value.code == 0
    assert {
        option for option in ("--data", "--sample", "--register", "--alias", "--folds") if option not in said
    } == set()
