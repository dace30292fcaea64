from __future__ import annotations

import os
import signal
import threading

import pytest

from dockyard.errors import EngineError
from dockyard.run.shield import shielded


def press() -> None:
    """Press Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def test_waits():
    """A Ctrl-C inside comes when the block has ended, and the handler is the old one again."""
    before, done = signal.getsignal(signal.SIGINT), []

    def act() -> None:
        with shielded():
            press()
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        act()

    assert done == [True]
    assert signal.getsignal(signal.SIGINT) is before


def test_deaf():
    """Where the way back is gone already, it is forgotten."""
    with shielded(deaf=True):
        press()


def test_deaf_within():
    """A step of the way back has a shield of its own, and does not end that way when Ctrl-C is pressed again."""
    done = []
    with shielded(deaf=True):
        for step in range(2):
            with shielded():
                press()
            done.append(step)

    assert done == [0, 1]


def test_within():
    """A shield within another hands Ctrl-C on to it, and does not take it away."""
    done = []

    def act() -> None:
        with shielded():
            with shielded():
                press()
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        act()

    assert done == [True]


def test_error():
    """An error of the block is not hidden by a Ctrl-C."""

    def act() -> None:
        with shielded():
            press()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()


def test_engine_error():
    """What docker says when Ctrl-C reached it too is not what is told."""

    def act() -> None:
        with shielded():
            press()
            raise EngineError("It could not be made.", "signal: interrupt", "Run it again.")

    with pytest.raises(KeyboardInterrupt):
        act()


def test_thread():
    """Another thread than the first gets no signals, and just goes on."""
    done = []

    def act() -> None:
        with shielded():
            done.append(True)

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()

    assert done == [True]
