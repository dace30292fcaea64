"""The model card says what a reader must know, and belongs to the file beside it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from house_pricing import model, train

from .conftest import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

CARDS = sorted((CONFIG / "models").glob("*.md"))
PARTS = ["Data", "Use", "How good it is", "Limits", "Fields of a request", "Train it again"]


def test_both_models_have_a_card() -> None:
    """No model ships without one."""
    assert [card.stem for card in CARDS] == ["california", "french-listings"]
    assert sorted(path.stem for path in (CONFIG / "models").glob("*.onnx")) == [card.stem for card in CARDS]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_card_belongs_to_its_file(card: Path) -> None:
    """Version, data, interval and every field are those of the file beside the card, and the data is called made up."""
    text = card.read_text(encoding="utf-8")
    contract = model.load(card.with_suffix(".onnx"), 10_000_000, "test").contract
    assert text.startswith(f"# Model card: {contract.model_version}\n")
    assert "**Synthetic.** No real sale is behind it" in text
    assert contract.data[1:] in text
    assert f"It held {contract.spread.measured:.1%} of the test rows" in text
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == PARTS
    assert [feature.name for feature in contract.features if f"\n| `{feature.name}` |" not in text] == []


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_segments_add_up(card: Path) -> None:
    """Each way to divide the test rows has all of them."""
    tested = model.load(card.with_suffix(".onnx"), 10_000_000, "test").contract.metrics["rows_tested"]
    tables = card.read_text(encoding="utf-8").split("\nBy ")[1:]
    assert len(tables) >= 2
    for table in tables:
        counts = [line.split("|")[2] for line in table.split("\n\n")[1].splitlines()[2:]]
        assert sum(int(count.replace(",", "")) for count in counts) == tested


def test_command_of_the_card_gives_the_card_again(tmp_path: Path) -> None:
    """Who types the card's last command gets the same model and the same card."""
    output = tmp_path / "one" / "mine.onnx"
    first = ["--sample", "california", "--rows", "400", "--seed", "9", "--folds", "2", "--name", "mine"]
    assert train.main([*first, "--output", str(output)]) == 0
    card = output.with_suffix(".md").read_text(encoding="utf-8")
    command = next(line for line in card.splitlines() if line.startswith("$ python -m house_pricing.train "))
    again = tmp_path / "two" / "mine.onnx"
    assert train.main([*shlex.split(command)[4:], "--output", str(again)]) == 0
    assert again.read_bytes() == output.read_bytes()
    assert again.with_suffix(".md").read_text(encoding="utf-8") == card
    assert json.loads(again.with_suffix(".golden.json").read_text())["model_version"] == "mine-1.0.0"
