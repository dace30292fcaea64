"""Holds Ctrl-C back while something must not be left half done."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Held:
    """Notes that Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.pressed = False

    def __call__(self, *_: object) -> None:
        self.pressed = True


@contextmanager
def shielded(*, deaf: bool = False) -> Iterator[None]:
    """Let a Ctrl-C wait until the block has ended; within another shield it waits for the end of that one.

    Args:
        deaf: Forget it then: what runs here undoes already what the first one interrupted.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or isinstance(before, _Held):
        yield
        return
    held = _Held()
    signal.signal(signal.SIGINT, held)
    try:
        yield
    except EngineError:
        # On a terminal Ctrl-C reaches docker's own process too: that it failed then is no news.
        if held.pressed and not deaf:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    if held.pressed and not deaf:
        raise KeyboardInterrupt
