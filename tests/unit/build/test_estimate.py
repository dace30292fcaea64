from __future__ import annotations

import pytest

from dockyard.build import Estimate, Outlook, Step, Times, earlier, estimate
from dockyard.state import State

T0 = "2026-11-23T01:00:00Z"


def at(seconds: float) -> str:
    """A moment after the beginning."""
    return f"2026-11-23T01:{int(seconds) // 60:02}:{seconds % 60:09.6f}Z"


def ran(name: str, seconds: float, *inputs: str, **changed) -> Step:
    """A step that ran."""
    return Step(name=name, inputs=inputs, started=T0, completed=at(seconds), **changed)


def waits(name: str, *inputs: str) -> Step:
    """A step that has not begun."""
    return Step(name=name, inputs=inputs)


def runs(name: str, *inputs: str) -> Step:
    """A step that has begun."""
    return Step(name=name, inputs=inputs, started=T0)


def cached(name: str, *inputs: str) -> Step:
    """A step that was found in the cache."""
    return ran(name, 0, *inputs, cached=True)


A, B, C = "[builder 2/3] RUN a", "[builder 3/3] RUN b", "[runner 2/3] RUN c"
COPY = "[runner 3/3] COPY --from=builder /b /"
EXPORT = "exporting to image"
PAST = [[ran(A, 10), ran(B, 20), ran(C, 5), ran(COPY, 1), ran(EXPORT, 4)]]


@pytest.mark.parametrize(
    ("steps", "for_", "left", "usual"),
    [
        pytest.param([waits(A), waits(B, A), waits(C), waits(COPY, B, C)], 0, 35, 35, id="the longest chain counts"),
        pytest.param([waits(COPY, B, C), waits(B, A), waits(C), waits(A)], 0, 35, 35, id="in any order"),
        pytest.param([ran(A, 9), waits(B, A), ran(C, 5), waits(COPY, B, C)], 0, 25, 35, id="what ended is over"),
        pytest.param([cached(A), waits(B, A), runs(C), waits(COPY, B, C)], 2, 25, 25, id="cached costs nothing"),
        pytest.param([cached(A), cached(B, A), runs(C), waits(COPY, B, C)], 2, 8, 10, id="a running one is begun"),
        pytest.param([ran(A, 9), runs(B, A), ran(C, 5), waits(COPY, B, C)], 99, 5, 35, id="a slow one holds"),
        pytest.param([ran(A, 9), ran(B, 20, A), ran(C, 5), ran(COPY, 1, B), runs(EXPORT)], 3, 1, 35, id="export"),
        pytest.param(
            [ran(A, 9), ran(B, 20, A), ran(C, 5), ran(COPY, 1, B), runs(EXPORT)], 9, 0, 35, id="never negative"
        ),
    ],
)
def test_left(steps, for_, left, usual):
    """What is left is the longest chain of steps that wait for each other, and then the export."""
    told = estimate(steps, Times(PAST), lambda step: for_ if step.running else 0)

    assert told is not None
    assert (told.left, told.usual) == (pytest.approx(left), pytest.approx(usual, abs=1.1))
    assert told.whole
    assert told.builds == 1


@pytest.mark.parametrize(
    ("builds", "seconds"),
    [
        pytest.param([[ran(A, 3)]], 3, id="one"),
        pytest.param([[ran(A, 3)], [ran(A, 50)], [ran(A, 4)]], 4, id="the median"),
        pytest.param([[cached(A)], [ran(A, 8)], [ran(A, 9, error="no")]], 8, id="where it ran"),
        pytest.param([[ran(A, 1)]] * 5 + [[ran(A, 99)]] * 9, 1, id="the newest"),
        pytest.param([[ran("[builder 2/9] RUN other", 6)]], 6, id="the one in its place"),
        pytest.param(
            [[ran("[builder 2/9] RUN other", 6)], [ran("[builder 5/9] RUN a", 7)]], 7, id="the same text first"
        ),
        pytest.param([[ran("[builder 2/9] COPY a b", 6)]], None, id="another keyword"),
        pytest.param([], None, id="no builds"),
    ],
)
def test_step(builds, seconds):
    """A step takes what it took in the newest builds in which it ran, known by its text, or else by its place."""
    told = Times(builds).of(waits(A))

    assert (told and told[0]) == seconds


def test_base_of_another_digest():
    """A base is known again whatever its digest is."""
    base = "[builder 1/3] FROM python:3.12@sha256:{}"

    assert Times([[ran(base.format("a1"), 7)]]).of(waits(base.format("b2"))) == (7, {0})


def test_export_like_this():
    """The export takes what it took after builds that ran about the same, and not what it took for cached ones."""
    warm = [cached(A), cached(B), ran(EXPORT, 0.1)]
    times = Times([warm, warm, warm, [ran(A, 1), ran(B, 1), ran(EXPORT, 6), ran("exporting cache", 1)]])

    assert times.export([cached(A), cached(B)]) == (pytest.approx(0.1), {0, 1, 2})
    assert times.export([waits(A), waits(B)])[1] == {3, 0, 1}
    assert Times([warm[:2]]).export([]) is None


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([], id="nothing known"),
        pytest.param([runs("[internal] load build definition from Dockerfile")], id="no step of the Dockerfile yet"),
        pytest.param([ran(A, 1), waits("[builder 7/7] COPY x y")], id="nothing known of what is to come"),
    ],
)
def test_nothing_to_say(steps):
    """There is no estimate where there is nothing to base it on."""
    assert estimate(steps, Times([[ran(A, 10)]]), lambda _: 0) is None


def test_at_least():
    """What is only partly known is not called whole."""
    told = estimate([waits(A), waits("[builder 9/9] COPY new y")], Times([[ran(A, 10)]]), lambda _: 0)

    assert told == Estimate(left=10, usual=10, builds=1, whole=False)


def told(left: float, usual: float = 40) -> Estimate:
    return Estimate(left=left, usual=usual, builds=3)


def test_never_grows():
    """What a person sees shrinks or stands still, and so does what is done."""
    outlook, seen, shares = Outlook(), [], []
    for elapsed, estimated in enumerate([60, 40, 38, 39, 20, 25, 19, 0, 3]):
        outlook.take(told(estimated), elapsed)
        seen.append(outlook.left)
        shares.append(outlook.share)

    assert seen == [None, 40, 38, 38, 20, 20, 19, 0, 0]
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_unknown_again():
    """Where nothing is known any more nothing is said, and what is said later is no more than before."""
    outlook, seen = Outlook(), []
    for elapsed, estimated in enumerate([told(9), told(8), None, told(9)]):
        outlook.take(estimated, elapsed)
        seen.append(outlook.left)

    assert seen == [None, 8, None, 8]


def test_late():
    """A build that takes longer than usual is late by ever more seconds, once nothing should be left."""
    outlook, late = Outlook(), []
    for elapsed in (2, 41, 43, 46, 50):
        outlook.take(told(0 if elapsed > 41 else 5), elapsed)
        late.append(outlook.late)

    assert late == [0, 0, 1, 4, 8]


def test_earlier(tmp_path):
    """What steps took is read from the records of the same Python, newest first, or from all if there are none."""
    state = State(tmp_path)
    builds = [("3.12", 99)] * 5 + [("3.12", seconds) for seconds in (4, 5, 6, 7, 8)] + [("3.13", 9)]
    for number, (python, seconds) in enumerate(builds):
        step = {"name": A, "started": T0, "completed": at(seconds), "cached": False, "error": "", "log": []}
        state.write_record(f"builds/202601{number:02}T000000.000000Z-py{python}.json", {"steps": [step]})

    assert earlier(state, "3.12").of(waits(A)) == (6, {0, 1, 2, 3, 4})
    assert earlier(state, "3.13").of(waits(A)) == (9, {0})
    assert earlier(state, "3.11").of(waits(A)) == (7, {0, 1, 2, 3, 4})
    assert earlier(State(tmp_path / "none"), "3.12").of(waits(A)) is None
