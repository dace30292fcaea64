"""What showing a build costs: a stream of many lines of output, shown, beside the same stream that nobody looks at.

BuildKit's messages are laid out beforehand and taken as fast as they can be. The terminal is a real one of 120 columns.

Usage: python bench/progress.py [--lines 20000] [--runs 5]
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import pty
import statistics
import sys
import threading
import time
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from dockyard.build import Progress
from dockyard.engines.messages import MessageDecoder
from dockyard.report.console import Console
from dockyard.report.progress import shown

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

STEPS = 40
TARGET = 1.5
MODES = ("nobody looks", "plain", "tty")


def stream(lines: int) -> list[str]:
    """What buildx writes of a build of 40 steps, each a long output."""
    names = [f"[stage{number % 4} {number // 4 + 2}/12] RUN make part{number}" for number in range(STEPS)]
    messages = [{"vertexes": [{"digest": name, "name": name} for name in names]}]
    for name in names:
        messages.append({"vertexes": [{"digest": name, "name": name, "started": "2026-11-23T01:00:00Z"}]})
        for number in range(lines // STEPS):
            data = base64.b64encode(f"\x1b[32mCompiling\x1b[0m module {number} of {name}\n".encode()).decode()
            messages.append({"logs": [{"vertex": name, "data": data}]})
        ended = {"started": "2026-11-23T01:00:00Z", "completed": "2026-11-23T01:00:09Z"}
        messages.append({"vertexes": [{"digest": name, "name": name, **ended}]})
    return [json.dumps(each) + "\n" for each in messages]


def taken(said: list[str], mode: str) -> float:
    """Seconds to take the stream and show it."""
    progress, decoder = Progress(), MessageDecoder()
    display: AbstractContextManager = nullcontext(lambda _: None) if mode == MODES[0] else shown(Console(), mode)
    begun = time.perf_counter()
    with display as watch:
        for line in said:
            for message in decoder.feed(line):
                progress.update(message)
                watch(progress)
        # The end of the display, for instance the waiting for its last drawing, is no work for a message.
        return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    said = stream(given.lines)
    leader, follower = pty.openpty()
    os.environ |= {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}

    def look() -> None:
        with suppress(OSError):
            while os.read(leader, 1 << 16):
                pass

    threading.Thread(target=look, daemon=True).start()
    real, sys.stderr = sys.stderr, os.fdopen(follower, "w", encoding="utf-8")
    # One after the other in turn, so that what else the machine does meets all of them.
    times = [[taken(said, mode) for mode in MODES] for _ in range(given.runs)]
    sys.stderr = real
    columns = [list(column) for column in zip(*times, strict=True)]
    for mode, column in zip(MODES, columns, strict=True):
        ratio = statistics.median(one / other for one, other in zip(column, columns[0], strict=True))
        told = f"{statistics.median(column):.3f} s ({min(column):.3f} to {max(column):.3f}, {given.runs} runs)"
        sys.stdout.write(f"{mode:<14}{told}; {ratio:.2f} times\n")
    sys.stdout.write(f"{len(said)} messages; target: at most {TARGET} times\n")


if __name__ == "__main__":
    main()
