"""A build as a waterfall: a bar for each step that ran, those that the build waited for marked."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from dockyard.errors import SettingsError
from dockyard.report.progress_words import short
from dockyard.report.words import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dockyard.explain import Span
    from dockyard.report.console import Console

BAR = 40
TEXT = 48
NOTHING = "No step ran: everything was cached."
ROW, LEFT, WIDE, TOP = 22, 360, 560, 40
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}.n{fill:#8c959f}.c{fill:#d4631c}"
    ".o{fill:#5a8fc8}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#8b949e}}"
)


def target(path: Path) -> Path:
    """Return a path that the picture can be written to; raise SettingsError before anything is done for nothing."""
    if path.suffix != ".svg" or not path.absolute().parent.is_dir():
        raise SettingsError(
            f"--svg {path} is not possible.", "It must be a .svg file in a folder that is there.", "Correct it."
        )
    return path


def show(console: Console, spans: Sequence[Span]) -> None:
    """Print the waterfall; `#` is a step that the build waited for, `=` one that ran beside it."""
    if not spans:
        console.say(NOTHING)
        return
    console.table(("step", "instruction", "seconds", "when"), _rows(spans))
    console.say(summary(spans))


def summary(spans: Sequence[Span]) -> str:
    """Return how long the steps took, and how much of that the build waited for."""
    work, waited = sum(span.seconds for span in spans), sum(span.seconds for span in spans if span.critical)
    count = "1 step" if len(spans) == 1 else f"{len(spans)} steps"
    return f"{count} ran: {work:.1f} s of work in {_end(spans):.1f} s. Those marked # were waited for: {waited:.1f} s."


def _rows(spans: Sequence[Span]) -> Iterator[tuple[str, ...]]:
    scale = BAR / (_end(spans) or 1)
    for span in spans:
        begin = min(int(span.begin * scale), BAR - 1)
        length = max(min(round(span.seconds * scale), BAR - begin), 1)
        bar = " " * begin + ("#" if span.critical else "=") * length
        yield span.label, short(harmless(span.text), TEXT), f"{span.seconds:.1f}", bar


def _end(spans: Sequence[Span]) -> float:
    return max(span.begin + span.seconds for span in spans)


def svg(spans: Sequence[Span], title: str) -> str:
    """Return the waterfall as a picture that stands alone, readable on light and dark pages."""
    scale = WIDE / (_end(spans) or 1) if spans else 1
    height = TOP + ROW * len(spans) + 30
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDE + 80} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text class="t" x="8" y="22">{escape(title)}</text>',
    ]
    for number, span in enumerate(spans):
        y = TOP + ROW * number
        x, wide = LEFT + span.begin * scale, max(span.seconds * scale, 2)
        told = escape(f"{span.label}  {short(harmless(span.text), TEXT - 6)}")
        kind, place = "c" if span.critical else "o", f'x="{x:.1f}" y="{y + 4}" width="{wide:.1f}"'
        lines.append(
            f'<text x="8" y="{y + 15}">{told}</text><rect class="{kind}" {place} height="14" rx="2"/>'
            f'<text class="n" x="{x + wide + 5:.1f}" y="{y + 15}">{span.seconds:.1f} s</text>'
        )
    lines.append(f'<text class="n" x="8" y="{height - 10}">{escape(summary(spans) if spans else NOTHING)}</text>')
    return "\n".join([*lines, "</svg>", ""])
