"""The words for causes, for instance `src/app.py changed (+3 lines, 2.1 kB)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.explain import Kind, Note, Outcome
from dockyard.report.progress_words import short
from dockyard.report.words import clipped, harmless
from dockyard.settings.fields import SECRET_NAME
from dockyard.units import amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.explain import Cause, Hint, StepStory

VALUE_WIDTH = 40
DIGEST_WIDTH = 19
MOST_CAUSES = 3
MINUS = "\N{MINUS SIGN}"
NOTES = {
    Note.KNOWN: "cached: an earlier build had the same",
    Note.TOUCHED: "{about}: touched only, same content",
    Note.SAME_RESULT: "{about} changed; what comes from it is the same",
    Note.SECRET: "the secret {about} changed; BuildKit runs no step again for that, unless build.secrets_rebuild is on",
}


def why(step: StepStory, dockerfile: str) -> str:
    """Return why a step ran: the first cause, and the steps between them."""
    told = [worded(each, dockerfile) for each in step.causes[:MOST_CAUSES]]
    more = len(step.causes) - len(told)
    text = "; ".join(told) + (f"; and {more} more" if more else "")
    if not step.chain:
        return text
    verb = "ran" if step.outcome is Outcome.RAN else "would run"
    return f"{step.chain[0]} {verb}{' ← …' if len(step.chain) > 2 else ''} ← {_place(step)}{text}"  # noqa: PLR2004


def _place(step: StepStory) -> str:
    return f"{step.chain[-1]}: " if len(step.chain) > 1 else ""


def note(step: StepStory) -> str:
    """Return the word on a step that did not run."""
    if step.note is None:
        return ""
    return NOTES[step.note].format(about=harmless(", ".join(step.about)))


def reason(step: StepStory, dockerfile: str) -> str:
    """Return what is to be said of a step: why it ran, or a word on it."""
    return why(step, dockerfile) if step.causes else note(step)


def hint(found: Hint, dockerfile: str) -> str:
    """Return what could be moved, and what that saves."""
    step, costly = (f"`{short(harmless(text), VALUE_WIDTH)}`" for text in (found.step, found.costly))
    saves = f"about {found.seconds:.0f} s per edit"
    where = f"{step} ({dockerfile}:{found.line}) stands before {costly} (line {found.costly_line})"
    if found.alone:
        return f"Hint: {where}, which reads {found.alone}: copying that alone before it saves {saves}."
    return f"Hint: {where}: moving it behind that saves {saves}."


def worded(cause: Cause, dockerfile: str) -> str:
    """Return a cause in words."""
    at = f" at {dockerfile}:{cause.line}" if cause.line else ""
    return harmless(WORDS[cause.kind](cause, at))


def _content(cause: Cause, _: str) -> str:
    lines = "" if cause.plus is None else f"+{cause.plus} {MINUS}{cause.minus} lines, "
    mode = f", mode {cause.before} → {cause.after}" if cause.before else ""
    return f"{cause.subject} changed ({lines}{amount(cause.size)}{mode})"


def _variable(cause: Cause, at: str) -> str:
    if cause.origin == "order":
        return "the order of ENV and ARG changed"
    if cause.origin == "base":
        return f"{cause.subject} changed in the base image: {_change(cause)}"
    return f"{cause.origin} {cause.subject} changed{at}: {_change(cause)}"


def _change(cause: Cause) -> str:
    """Return what was and what is; a value whose name sounds like a secret's is not told."""
    if SECRET_NAME.search(cause.subject):
        return "its value is not told"
    before, after = (clipped(each, VALUE_WIDTH) or "unset" for each in (cause.before, cause.after))
    return f"{before} → {after}"


def _moved(cause: Cause, at: str) -> str:
    if cause.before.startswith("sha256:") and cause.after.startswith("sha256:"):
        return f"base image {cause.subject} moved, {cause.before[:DIGEST_WIDTH]} → {cause.after[:DIGEST_WIDTH]}"
    return f"base image changed{at}: {cause.before} → {cause.after}"


def _let_in(cause: Cause, _: str) -> str:
    rule = f" (line {cause.line}: {cause.after})" if cause.line else f" ({cause.before} is gone)"
    return f".dockerignore now lets in {cause.subject}{rule}"


def _inserted(cause: Cause, at: str) -> str:
    return f"instruction {'moved' if cause.before == 'moved' else 'added'}{at}"


def _removed(cause: Cause, _: str) -> str:
    return f"instruction removed before it: `{short(cause.subject, VALUE_WIDTH)}` (was line {cause.line})"


SECRETS = {
    "changed": "the value of the secret {name} changed (build.secrets_rebuild)",
    "given": "the secret {name} is given now (build.secrets_rebuild)",
    "gone": "the secret {name} is no longer given (build.secrets_rebuild)",
    "on": "build.secrets_rebuild was switched on: the steps with the secret {name} run once more",
    "off": "build.secrets_rebuild was switched off: the steps with the secret {name} have no mark any more",
    "lost": "the secret {name} has a new mark: the old one was removed from .dockyard",
}
WORDS: dict[Kind, Callable[[Cause, str], str]] = {
    Kind.CONTENT: _content,
    Kind.ADDED: lambda cause, _: f"{cause.subject or 'the context'} was added",
    Kind.DELETED: lambda cause, _: f"{cause.subject} was deleted",
    Kind.RENAMED: lambda cause, _: f"{cause.before} was renamed to {cause.after}",
    Kind.MODE: lambda cause, _: (
        f"mode of {cause.subject} changed {cause.before} → {cause.after}"
        if cause.before
        else f"the mode of a folder in {cause.subject or 'the context'} changed"
    ),
    Kind.LINK: lambda cause, _: f"link {cause.subject} points elsewhere: {cause.before} → {cause.after}",
    Kind.LET_IN: _let_in,
    Kind.KEPT_OUT: lambda cause, _: f".dockerignore now keeps out {cause.subject} (line {cause.line}: {cause.after})",
    Kind.FILES: lambda *_: "the files that it takes changed; which ones is not kept any more",
    Kind.ARGUMENT: _variable,
    Kind.VARIABLE: _variable,
    Kind.USER: lambda cause, at: f"USER changed{at}: {cause.before} → {cause.after}",
    Kind.SHELL: lambda cause, _: f"SHELL changed: {cause.before} → {cause.after}",
    Kind.FOLDER: lambda cause, _: f"WORKDIR changed: {cause.before} → {cause.after}",
    Kind.EDITED: lambda _, at: f"instruction edited{at}",
    Kind.BLANKS: lambda _, at: f"instruction edited{at}: in its blanks alone, which count in RUN",
    Kind.HEREDOC: lambda _, at: f"text of the heredoc edited{at}",
    Kind.INSERTED: _inserted,
    Kind.REMOVED: _removed,
    Kind.STAGE_ADDED: lambda cause, at: f"stage {cause.subject} added{at}",
    Kind.STAGE_REMOVED: lambda cause, _: f"stage {cause.subject} removed",
    Kind.BASE: _moved,
    Kind.PLATFORM: lambda cause, _: f"platform changed: {cause.before or 'its own'} → {cause.after or 'its own'}",
    Kind.REMOTE: lambda cause, _: f"{cause.subject} changed, or its server does not say whether it did",
    Kind.SECRET: lambda cause, _: SECRETS[cause.origin].format(name=cause.subject),
    Kind.FIRST: lambda *_: "first build of its kind that dockyard knows of here",
    Kind.NO_CACHE: lambda *_: "the cache was not used: --no-cache or --reproducible",
    Kind.BUILDER: lambda cause, _: f"another builder: {cause.before or 'the default'} → {cause.after or 'the default'}",
    Kind.PRUNED: lambda *_: "nothing changed here: its result is no longer in the cache (pruned, or a new store)",
    Kind.UNKNOWN: lambda *_: "unknown",
}
