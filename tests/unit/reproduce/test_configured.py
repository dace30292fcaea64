"""What differs in two configurations."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from dockyard.reproduce import How, compare
from images import Saved, archive, encoded, file, saved, streamed, tar
from support import SECRET


def found(first: dict, second: dict, **histories):
    """Return the differences of two images of equal layers: subject, how, detail."""
    images = [
        saved([file("a")], **({"config": config} | ({"history": history} if history else {})))
        for config, history in ((first, histories.get("one")), (second, histories.get("other")))
    ]
    comparison = compare(lambda: streamed(images[0]), lambda: streamed(images[1]))
    assert all(each.place is None and each.remedy for each in comparison.differences)
    return [(each.subject, each.seen.how, each.seen.detail) for each in comparison.differences]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({"Env": ["A=1"]}, {"Env": ["A=2"]}, ("Env.A", How.ENVIRONMENT, "1 and 2")),
        ({"Env": ["A=1"]}, {}, ("Env.A", How.ENVIRONMENT, "1 and nothing")),
        ({"Labels": {"a": "1"}}, {"Labels": {"a": "2"}}, ("Labels.a", How.LABEL, "1 and 2")),
        ({"Cmd": ["a"]}, {"Cmd": ["b"]}, ("config.Cmd", How.SETTING, '["a"] and ["b"]')),
        (
            {"Env": ["A=1", "B=2"]},
            {"Env": ["B=2", "A=1"]},
            ("Env", How.ORDER, "its variables are equal, in another order"),
        ),
    ],
)
def test_configuration(one, other, told):
    """Each part is named, with both values."""
    assert found(one, other) == [told]


def test_history():
    """The first differing step of the history is named, and what of it."""
    steps = [{"created_by": "RUN a", "created": "2020-01-01T00:00:00Z"}]
    later = [{"created_by": "RUN a", "created": "2021-01-01T00:00:00Z"}]

    assert found({}, {}, one=steps, other=later) == [
        ("history[0].created", How.HISTORY, "2020-01-01T00:00:00Z and 2021-01-01T00:00:00Z")
    ]
    assert found({}, {}, one=steps, other=[*steps, {"created_by": "ENV A=1", "empty_layer": True}]) == [
        ("history", How.HISTORY, "1 and 2 steps")
    ]


@dataclass(kw_only=True)
class Dated(Saved):
    """An image that says when it was made."""

    created: str

    def configuration(self) -> bytes:
        return encoded({**json.loads(super().configuration()), "created": self.created})


def test_created():
    """Another time of creation is named."""
    images = [archive(Dated(layers=[tar(file("a"))], created=f"{year}-01-01T00:00:00Z").oci()) for year in (2020, 2021)]
    (difference,) = compare(lambda: streamed(images[0]), lambda: streamed(images[1])).differences

    assert (difference.subject, difference.seen.how) == ("created", How.CREATED)
    assert difference.seen.detail == "2020-01-01T00:00:00Z and 2021-01-01T00:00:00Z"
    assert "SOURCE_DATE_EPOCH" in difference.remedy


def test_secret():
    """Values whose name sounds like a secret are not told."""
    ((subject, _, detail),) = found({"Env": [f"API_KEY={SECRET}"]}, {"Env": ["API_KEY=other"]})

    assert subject == "Env.API_KEY"
    assert SECRET not in detail
    assert "other" not in detail
