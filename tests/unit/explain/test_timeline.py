"""When steps ran, and which of them the build waited for."""

from __future__ import annotations

from dockyard.build import Step
from dockyard.explain import timeline

A, B, C, D = (f"[stage {number}/4] RUN {name}" for number, name in enumerate("abcd", 1))


def step(name: str, begin: float, end: float, *inputs: str, cached: bool = False) -> Step:
    """A step that ran from one second to another of a certain minute."""
    return Step(
        name=name,
        inputs=inputs,
        started=f"2026-11-23T06:00:{begin:012.9f}Z",
        completed=f"2026-11-23T06:00:{end:012.9f}Z",
        cached=cached,
    )


def spans(*steps: Step):
    return timeline({each.name[1:].partition("]")[0]: each for each in steps})


def test_critical():
    """The chain that ends last was waited for; what ran beside it and was ready before was not."""
    made = spans(step(A, 1, 2), step(B, 2, 9.5, A), step(C, 2, 3, A), step(D, 9.5, 10, B, C))

    assert [span.label for span in made if not span.critical] == ["stage 3/4"]
    assert [(span.begin, span.seconds) for span in made] == [(0, 1), (1, 7.5), (1, 1), (8.5, 0.5)]


def test_cached():
    """Cached steps took no time, and are not there; of a build that ran none there is nothing."""
    assert [span.label for span in spans(step(A, 1, 2, cached=True), step(B, 3, 4, A))] == ["stage 2/4"]
    assert spans(step(A, 1, 2, cached=True)) == ()


def test_unended():
    """A step that never began or never ended has no place."""
    assert spans(Step(name=A), Step(name=B, started="2026-11-23T06:00:01Z")) == ()
