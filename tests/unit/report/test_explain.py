"""What an explained build looks like."""

from __future__ import annotations

import json

import pytest

from dockyard.explain import Cause, Explanation, Hint, Kind, Note, Outcome, StepStory
from dockyard.report import explain as reports
from dockyard.report.console import Console
from dockyard.report.explain_words import WORDS, worded

CONTENT = Cause(kind=Kind.CONTENT, subject="src/app.py", plus=3, minus=1, size=2100)


def step(**changed):
    fields = {
        "label": "builder 4/8",
        "instruction": "COPY src src",
        "text": "COPY src src",
        "line": 12,
        "outcome": Outcome.RAN,
        "seconds": 1.25,
        "causes": (CONTENT,),
    }
    return StepStory(**{**fields, **changed})


def explanation(*steps, **changed):
    fields = {"record": "2026", "against": "2025", "image": "tiny:1", "dockerfile": "Dockerfile"}
    return Explanation(**{**fields, **changed}, steps=steps)


INSTALL = step(
    label="builder 5/8",
    text="RUN uv pip install -r service.txt",
    line=13,
    seconds=40.0,
    chain=("builder 4/8",),
    installs=True,
)
CACHED = step(label="builder 6/8", outcome=Outcome.CACHED, seconds=0.0, causes=(), note=Note.TOUCHED, about=("a.py",))
HINT = Hint(step="COPY src src", line=12, costly="RUN uv pip install -r service.txt", costly_line=13, seconds=40.4)
DIGESTS = {"before": f"sha256:{'a' * 64}", "after": f"sha256:{'b' * 64}"}


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (CONTENT, "src/app.py changed (+3 \N{MINUS SIGN}1 lines, 2.1 kB)"),
        (Cause(kind=Kind.CONTENT, subject="a.bin", size=10), "a.bin changed (10 B)"),
        (Cause(kind=Kind.MODE, subject="entry.sh", before="644", after="755"), "mode of entry.sh changed 644 → 755"),
        (Cause(kind=Kind.MODE), "the mode of a folder in the context changed"),
        (Cause(kind=Kind.RENAMED, subject="b", before="a", after="b"), "a was renamed to b"),
        (
            Cause(kind=Kind.ARGUMENT, subject="VERSION", before="1.2", after="1.3", origin="build argument"),
            "build argument VERSION changed: 1.2 → 1.3",
        ),
        (
            Cause(kind=Kind.VARIABLE, subject="MODE", before="", after="x", origin="ENV", line=7),
            "ENV MODE changed at Dockerfile:7: unset → x",
        ),
        (Cause(kind=Kind.EDITED, line=41), "instruction edited at Dockerfile:41"),
        (
            Cause(kind=Kind.BASE, subject="python:3", **DIGESTS),
            "base image python:3 moved, sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb",
        ),
        (Cause(kind=Kind.LET_IN, subject="a.log", before="*.log"), ".dockerignore now lets in a.log (*.log is gone)"),
        (
            Cause(kind=Kind.KEPT_OUT, subject="a.log", after="*.log", line=2),
            ".dockerignore now keeps out a.log (line 2: *.log)",
        ),
        (Cause(kind=Kind.BUILDER, before="default"), "another builder: default → the default"),
    ],
)
def test_words(cause, words):
    """Each cause is told with what it is about."""
    assert worded(cause, "Dockerfile") == words


@pytest.mark.parametrize("became", ["changed", "given", "gone", "on", "off", "lost"])
def test_secret_that_counts(became):
    """What became of a secret is told with its id, and with the setting or the file that made it count."""
    words = worded(Cause(kind=Kind.SECRET, subject="index_url", origin=became), "Dockerfile")

    assert "the secret index_url" in words
    assert ("build.secrets_rebuild" in words) == (became != "lost")


def test_every_kind_has_words():
    """No kind of cause is left without words."""
    assert set(WORDS) == set(Kind)


def test_secret_that_does_not_count():
    """A secret that changed and ran nothing is told with the setting that would let it."""
    told = step(outcome=Outcome.CACHED, causes=(), note=Note.SECRET, about=("token",))

    assert reports.document(explanation(told))["steps"][0]["why"] == (
        "the secret token changed; BuildKit runs no step again for that, unless build.secrets_rebuild is on"
    )


def test_secret_value_is_not_told():
    """A value whose name sounds like a secret's is not told, before nor after."""
    words = worded(Cause(kind=Kind.VARIABLE, subject="API_KEY", before="hunter1", after="hunter2", origin="ENV"), "D")

    assert "hunter" not in words
    assert "API_KEY" in words


def test_name_of_a_file_is_harmless():
    """A file's name moves no cursor."""
    assert "\x1b" not in worded(Cause(kind=Kind.ADDED, subject="a\x1b[2J"), "Dockerfile")


def test_table(capsys):
    """The table has a row for each step, with its cause and the step that leads there; then the sum and the hints."""
    reports.show(Console(), explanation(step(), INSTALL, CACHED, hints=(HINT,)), "table")

    head, _, first, second, third, total, hint = capsys.readouterr().out.splitlines()
    assert head == "tiny:1: build 2026, beside 2025"
    assert "ran     1.2      src/app.py changed (+3 \N{MINUS SIGN}1 lines, 2.1 kB)" in first
    assert "40.0" in second
    assert "builder 4/8 ran ← src/app.py changed" in second
    assert third.rstrip().endswith("a.py: touched only, same content")
    assert total == "2 of 3 steps ran, 41.2 s."
    assert hint == (
        "Hint: `COPY src src` (Dockerfile:12) stands before `RUN uv pip install -r service.txt` (line 13): "
        "moving it behind that saves about 40 s per edit."
    )


def test_longer_chain():
    """Between a step and a far cause stand the step before it and the one with the cause."""
    told = step(chain=("c 3/3", "b 2/2", "a 1/1"))

    assert "c 3/3 ran ← … ← a 1/1: src/app.py changed" in reports.document(explanation(told))["steps"][0]["why"]


def test_many_causes():
    """Of many files that changed the first are told, and how many more."""
    told = step(causes=tuple(Cause(kind=Kind.ADDED, subject=f"f{index}") for index in range(9)))

    why = reports.document(explanation(told))["steps"][0]["why"]
    assert why == "f0 was added; f1 was added; f2 was added; and 6 more"


def test_forecast(capsys):
    """A build that has not been is told as such: what would run, what may, and of what the time is not known."""
    steps = (step(outcome=Outcome.WILL_RUN), step(outcome=Outcome.MAY_RUN, seconds=0.0), CACHED)
    reports.show(Console(), explanation(*steps, record="", unused=(("a.log", "kept out"),)), "table")

    out = capsys.readouterr().out
    assert out.startswith("tiny:1: what a build would do now, beside 2025\n")
    assert "1 of 3 steps would run, 1 more may: about 1.2 s; of 1 it is not known." in out
    assert "a.log is in no step: kept out." in out


def test_many_files_in_no_step():
    """Of a folder's files that no step takes a few are named for each reason."""
    unused = (*((f"d/{number}", "kept out") for number in range(9)), ("a", "of none"), ("b", "of none"))
    told = reports.markdown(explanation(CACHED, record="", unused=unused))

    assert told[-2:] == ["d/0, d/1, d/2 and 6 more are in no step: kept out.", "a, b are in no step: of none."]


def test_json(capsys):
    """As JSON there are the causes as data, and their words."""
    reports.show(Console(), explanation(step()), "json")

    told = json.loads(capsys.readouterr().out)
    assert told["version"] == 1
    assert told["steps"][0]["causes"][0]["kind"] == "content"
    assert told["steps"][0]["why"].startswith("src/app.py changed")


def test_markdown(capsys):
    """In Markdown a step's bars and quotes do not break the table."""
    reports.show(Console(), explanation(step(text="RUN a | `b`")), "markdown")

    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("| builder"))
    assert "RUN a \\| 'b'" in row
    assert row.replace("\\|", "").count("|") == 6


@pytest.mark.parametrize(
    "steps",
    [
        (step(), CACHED),
        (step(installs=True, outcome=Outcome.CACHED, causes=()),),
        (step(installs=True, causes=(Cause(kind=Kind.FIRST),)),),
        (step(seconds=60.0, causes=(Cause(kind=Kind.NO_CACHE),)),),
        (),
    ],
)
def test_nothing_unexpected(steps):
    """Quick steps, cached ones, a first build and one without cache are nothing to wonder about."""
    assert reports.one_line(explanation(*steps)) == ""


def test_one_line():
    """The longest costly step is told in one line with its first cause; a hint stands below."""
    told = reports.one_line(explanation(step(), INSTALL, hints=(HINT,))).splitlines()

    assert told[0] == (
        "RUN uv pip install -r service.txt ran again (40.0 s): "
        "builder 4/8 ran ← src/app.py changed (+3 \N{MINUS SIGN}1 lines, 2.1 kB)."
    )
    assert told[1].startswith("Hint: `COPY src src`")
