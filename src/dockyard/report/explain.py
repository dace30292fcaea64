"""A build, explained: as a table, as JSON, as Markdown, and in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.explain import Kind, Outcome
from dockyard.report.explain_json import document
from dockyard.report.explain_words import hint, reason, why
from dockyard.report.progress_words import short
from dockyard.report.words import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard.explain import Explanation, StepStory
    from dockyard.report.console import Console

FORMATS = ("table", "json", "markdown")
INSTRUCTION_WIDTH = 44
# A folder may have thousands of files that no step takes.
MOST_NAMES = 3
# What nobody wonders about.
EXPECTED = (Kind.FIRST, Kind.NO_CACHE)
# A step that takes so long is worth a word when it runs again.
LONG = 5.0


def show(console: Console, explanation: Explanation, form: str) -> None:
    """Print an explanation.

    Args:
        console: Where.
        explanation: Of a build, or of one that would be made.
        form: One of FORMATS.
    """
    if form == "json":
        console.document(document(explanation))
    elif form == "markdown":
        console.lines(markdown(explanation))
    else:
        _table(console, explanation)


def one_line(explanation: Explanation) -> str:
    """Return what to say after a build in which a costly step ran; empty if none did, or if nobody wonders why."""
    costly = [
        each
        for each in explanation.steps
        if each.outcome is Outcome.RAN
        and not any(cause.kind in EXPECTED for cause in each.causes)
        and (each.installs or each.seconds >= LONG)
    ]
    if not costly:
        return ""
    longest = max(costly, key=lambda each: (each.installs, each.seconds))
    told = (
        f"{short(harmless(longest.text))} ran again ({longest.seconds:.1f} s): {why(longest, explanation.dockerfile)}."
    )
    return "\n".join([told, *(hint(each, explanation.dockerfile) for each in explanation.hints)])


def title(explanation: Explanation) -> str:
    """Return what is explained, and beside what."""
    beside = f", beside {explanation.against}" if explanation.against else ""
    if not explanation.record:
        return f"{explanation.image}: what a build would do now{beside}"
    return f"{explanation.image}: build {explanation.record}{beside}"


def total(explanation: Explanation) -> str:
    """Return how much ran in all."""
    ran, count = explanation.ran, len(explanation.steps)
    seconds = f"{explanation.seconds:.1f} s"
    if explanation.record:
        return f"{len(ran)} of {count} steps ran, {seconds}." if ran else f"All {count} steps were cached."
    if not ran:
        return f"All {count} steps would be cached."
    sure = sum(each.outcome is Outcome.WILL_RUN for each in ran)
    told = f"{sure} of {count} steps would run" + (f", {len(ran) - sure} more may" if len(ran) > sure else "")
    unseen = sum(not each.seconds for each in ran)
    return f"{told}: about {seconds}{f'; of {unseen} it is not known' if unseen else ''}."


def markdown(explanation: Explanation) -> list[str]:
    """Return the lines of an explanation as Markdown."""
    rows = [
        f"| {_cell(each.label)} | `{_cell(short(harmless(each.text), INSTRUCTION_WIDTH))}` | {each.outcome} "
        f"| {_seconds(each)} | {_cell(reason(each, explanation.dockerfile))} |"
        for each in explanation.steps
    ]
    head = ["| step | instruction | state | seconds | why |", "|---|---|---|---:|---|"]
    return [f"## {_cell(title(explanation))}", "", *head, *rows, "", total(explanation), *_tail(explanation)]


def _table(console: Console, explanation: Explanation) -> None:
    console.say(title(explanation))
    rows = [
        (
            each.label,
            short(harmless(each.text), INSTRUCTION_WIDTH),
            str(each.outcome),
            _seconds(each),
            reason(each, explanation.dockerfile),
        )
        for each in explanation.steps
    ]
    console.table(("step", "instruction", "state", "seconds", "why"), rows)
    for line in (total(explanation), *_tail(explanation)):
        console.say(line)


def _tail(explanation: Explanation) -> list[str]:
    """Return what is to be said below the steps."""
    by_reason: dict[str, list[str]] = {}
    for name, kept in explanation.unused:
        by_reason.setdefault(kept, []).append(harmless(name))
    unused = [f"{_named(names)} in no step: {kept}." for kept, names in by_reason.items()]
    return [*unused, *(hint(each, explanation.dockerfile) for each in explanation.hints)]


def _named(names: Sequence[str]) -> str:
    """Return the first of some files, and how many more they are."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more} {'is' if len(names) == 1 else 'are'}"


def _seconds(step: StepStory) -> str:
    if step.outcome in (Outcome.CACHED, Outcome.SKIPPED):
        return ""
    # Of a step that no record has seen run, nobody knows.
    return f"{step.seconds:.1f}" if step.seconds or step.outcome is Outcome.RAN else "?"


def _cell(text: str) -> str:
    return harmless(text).replace("|", "\\|").replace("`", "'")
