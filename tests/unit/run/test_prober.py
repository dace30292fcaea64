from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dockyard.run.prober import Outage, Prober, answers, outage


@contextmanager
def serving(statuses: list[int], port: int = 0):
    """A service that answers with one status after another, and goes on with the last; 0 cuts the connection."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
            if status:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("asked", "failed", "silent"),
    [
        ([], 0, 0),
        ([(0, 1, True), (2, 3, True)], 0, 0),
        ([(0, 1, True), (2, 3, False), (4, 5, False), (6, 7, True)], 2, 6),
        ([(0, 1, True), (2, 3, False), (4, 5, True), (6, 7, False), (8, 9, True)], 2, 8),
        ([(0, 1, False), (2, 3, True)], 1, 3),
        ([(0, 1, True), (2, 3, False), (4, 5, False)], 2, 4),
    ],
    ids=["nothing", "whole", "one gap", "two gaps", "from the begin", "to the end"],
)
def test_outage(asked, failed, silent):
    """A silence lasts from the last good answer to the next one; several are added up."""
    told = outage(asked, seconds=9)

    assert (told.asked, told.failed, told.silent) == (len(asked), failed, silent)


def test_sum():
    """What was noticed of two spans is added up."""
    whole = Outage(seconds=1, asked=9, failed=0, silent=0) + Outage(seconds=2, asked=5, failed=4, silent=1.5)

    assert whole == Outage(seconds=3, asked=14, failed=4, silent=1.5)


def test_words():
    """An outage says how many failed and for how long; a whole swap says that none did."""
    assert str(Outage(seconds=3.1, asked=212, failed=4, silent=0.31)) == (
        "4 of 212 requests failed, 0.31 s without an answer"
    )
    assert str(Outage(seconds=3.1, asked=212, failed=0, silent=0)) == "none of 212 requests failed"


@pytest.mark.parametrize(("status", "good"), [(200, True), (503, False), (404, False), (0, False)])
def test_answers(status, good):
    """Only a whole 200 is a good answer."""
    with serving([status]) as url:
        assert answers(url, "/ready") is good


def test_answers_nowhere():
    """An address at which nobody listens does not answer, and raises nothing."""
    assert answers("http://127.0.0.1:1", "/ready") is False


def test_prober():
    """What fails between begin and end is counted, and the end waits for a good answer."""
    statuses = [200, 503, 503, 200]
    with serving(statuses) as url:
        prober = Prober(url, "/ready")
        prober.begin()
        while len(statuses) > 1:
            pass
        told = prober.end()

    assert told
    assert (told.failed, told.asked >= 4) == (2, True)
    assert told.silent >= 0.04


def test_prober_twice():
    """A second begin goes on, an end without a begin tells nothing, and each span is counted alone."""
    with serving([200]) as url:
        prober = Prober(url, "/ready")
        assert prober.end() is None
        prober.begin()
        prober.begin()
        assert prober.end()
        assert prober.end() is None


def test_prober_of_nothing():
    """Without an address nothing is asked."""
    prober = Prober("", "/ready")
    prober.begin()

    assert prober.end() is None


def test_prober_gives_up(monkeypatch):
    """Where no good answer comes any more, the end does not wait for one for ever."""
    monkeypatch.setattr("dockyard.run.prober.LAST_SECONDS", 0.05)
    prober = Prober("http://127.0.0.1:1", "/ready")
    prober.begin()
    told = prober.end()

    assert told
    assert told.failed == told.asked
