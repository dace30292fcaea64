"""The budgets of the settings."""

from __future__ import annotations

import pytest

from dockyard.errors import AuditError
from dockyard.settings.audits import Size
from dockyard.size import check, require
from images import file, whiteout
from support import sentences
from unit.size.installed import installed

K = 1 << 10
LAYERS = (
    [file("base", b"b" * 5 * K)],
    [*installed("Big-One", "2", {"big.so": b"n" * 3 * K}), file("old", b"o" * 2 * K)],
    [whiteout("old"), file("copy", b"b" * 5 * K)],
)


@pytest.fixture
def breaches(measured):
    """Hold budgets against the image; `base` is how many layers are its base."""
    return lambda base=1, **budgets: check(measured(*LAYERS, base=base, lines={1: 7, 2: 8}), Size(**budgets))


def test_no_budget(breaches):
    """Without budgets nothing is held."""
    assert breaches() == ()
    require(())


def test_met(breaches):
    """Budgets that are met are silent."""
    assert breaches(total="1m", over_base="1m", layer="6k", wasted="1m", distributions={"big_one": "4k"}) == ()


@pytest.mark.parametrize(
    ("key", "budget", "least", "place"),
    [
        ("total", "10k", 13 * K, "most is layer 1, Dockerfile:7, RUN step 1 with 5."),
        ("over_base", "9k", 10 * K, "most is layer 1, Dockerfile:7"),
        ("wasted", "6k", 7 * K, "/copy, a copy of /base, with 5.1 kB"),
    ],
)
def test_exceeded(breaches, key, budget, least, place):
    """A budget that is not met is told with its number, what there is, and where most of it is."""
    (breach,) = breaches(**{key: budget})

    assert (breach.key, breach.allowed) == (f"size.{key}", int(budget[:-1]) * K)
    assert least <= breach.bytes < least + K
    assert place in breach.sentence
    assert f'size.{key} = "{budget}"' in breach.sentence
    assert "too much" in breach.sentence


def test_most_is_hidden(measured):
    """Where most of the waste is what an instruction hides, that instruction is named."""
    done = measured([file("a", b"a" * 2 * K), file("b", b"b" * K)], [whiteout("a"), whiteout("b")], lines={1: 9})
    (breach,) = check(done, Size(wasted="1k"))

    assert "/a and 1 more of layer 0, deleted by layer 1, Dockerfile:9, RUN step 1, with 3.1 kB" in breach.sentence


def test_exactly_met(measured):
    """A budget is met to its last byte, and not by one more."""
    assert check(measured([file("a", b"1" * K)]), Size(total="1k")) == ()
    assert len(check(measured([file("a", b"1" * (K + 1))]), Size(total="1k"))) == 1


def test_each_layer(breaches):
    """Every layer that is too large is told; those of the base are not."""
    assert [each.place for each in breaches(layer="4k")] == [
        "layer 1, Dockerfile:7, RUN step 1",
        "layer 2, Dockerfile:8, RUN step 2",
    ]
    assert len(breaches(base=0, layer="4k")) == 3


def test_distribution(breaches):
    """A distribution's budget finds it under any spelling, and tells its version and place."""
    (breach,) = breaches(distributions={"big_one": "3k"})

    assert breach.key == "size.distributions.big_one"
    assert "Big-One 2 in /venv/lib/python3.12/site-packages" in breach.sentence


def test_unknown_distribution(breaches):
    """A budget of a distribution that is not there is told, not passed over."""
    (breach,) = breaches(distributions={"gone": "3k"})

    assert breach.bytes is None
    assert breach.sentence == 'size.distributions.gone = "3k" (3.1 kB): the image has no distribution of this name'


def test_unknown_base(breaches):
    """What is on top of a base that is not known cannot be held, and that is told."""
    (breach,) = breaches(base=0, over_base="1m")

    assert "base of the image is not known" in breach.sentence


def test_error(breaches):
    """Breaches end the command with exit code 5, a line each."""
    with pytest.raises(AuditError) as caught:
        require(breaches(total="1k", distributions={"gone": "3k"}))
    what, why, todo = sentences(caught.value)

    assert what == "2 budgets are not met."
    assert [line.split(" = ")[0] for line in why.splitlines()] == ["size.total", "size.distributions.gone"]
    assert "[tool.dockyard.size]" in todo
    assert caught.value.exit_code == 5
