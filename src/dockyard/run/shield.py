"""Holds Ctrl-C back while something must not be left half done."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def shielded(*, deaf: bool = False) -> Iterator[None]:
    """Let a Ctrl-C wait until the block has ended.

    Args:
        deaf: Forget it then: what runs here undoes already what the first one interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        yield
    except EngineError:
        # On a terminal Ctrl-C reaches docker's own process too: that it failed then is no news.
        if pressed and not deaf:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed and not deaf:
        raise KeyboardInterrupt
