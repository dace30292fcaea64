"""Clients that are slow or silent, over real sockets: cut off in time, and nobody else is."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from house_pricing.app import create_app
from house_pricing.deadline import within
from house_pricing.settings import Settings

from .conftest import CONFIG, FLAT, KEY, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import ReadableLog

LIMIT = 0.3
BODY = json.dumps(FLAT).encode()
KEYED = f"Host: x\r\nX-API-Key: {KEY}\r\n"
HEAD = f"POST /predict HTTP/1.1\r\n{KEYED}Content-Length: {len(BODY)}\r\n\r\n".encode()
CHUNKED = f"POST /predict HTTP/1.1\r\n{KEYED}Transfer-Encoding: chunked\r\n\r\n".encode()
STRANGER = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


class Ports:
    """A server in a thread: connections to it, and its log."""

    def __init__(self, port: int, log: ReadableLog) -> None:
        self.port = port
        self.log = log

    @contextmanager
    def connect(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=4) as client:  # uvicorn's own wait is 5 s
            yield client


@contextmanager
def serving(app: Any, log: ReadableLog, seconds: float = LIMIT) -> Iterator[Ports]:
    """Serve as `house_pricing.server` does, without its signals."""
    config = uvicorn.Config(app, http=within(seconds, log), ws="none", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield Ports(listener.getsockname()[1], log)
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture
def service(log: ReadableLog) -> Iterator[Ports]:
    app = create_app(Settings(api_key=KEY, config_dir=str(CONFIG)), log)
    with serving(app, log) as ports:
        wait_until(lambda: app.state.loader.state == "ready")
        yield ports
    wait_until(lambda: not any(thread.name == "loader" for thread in threading.enumerate()))


def rest(client: socket.socket) -> bytes:
    """All that comes until the other side closes, which it does in time."""
    return b"".join(iter(lambda: client.recv(65_536), b""))


def answer(client: socket.socket) -> bytes:
    """One answer, to the last byte of its JSON."""
    got = b""
    while not got.endswith(b"}"):
        piece = client.recv(65_536)
        assert piece, got
        got += piece
    return got


@pytest.mark.parametrize("sent", [b"", b"\r\n", HEAD[:30], HEAD[:-2]], ids=["nothing", "empty line", "line", "head"])
def test_connection_without_a_whole_head_is_closed(service: Ports, sent: bytes) -> None:
    """Who says nothing, or stops within the head, is cut off without a word; the log has one line for it."""
    with service.connect() as client:
        client.sendall(sent)
        assert rest(client) == b""
    (line,) = service.log.lines("cut_off")
    assert (line["level"], line["seconds"], line["got"]) == ("info", LIMIT, "a part" if sent.strip() else "nothing")
    assert service.log.lines("request") == []


@pytest.mark.parametrize("sent", [HEAD, HEAD + BODY[:9], CHUNKED + b"5\r\nabcde\r\n"], ids=["none", "half", "chunk"])
def test_request_without_a_whole_body_is_408(service: Ports, sent: bytes) -> None:
    """Who stops within the body is told so and cut off; answer, log and metrics say the same."""
    with service.connect() as client:
        client.sendall(sent)
        head, _, body = rest(client).partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    problem = json.loads(body)
    assert lines[0] == "http/1.1 408 request timeout"
    assert {f"content-length: {len(body)}", "connection: close", f"x-request-id: {problem['request_id']}"} < set(lines)
    assert (problem["status"], problem["detail"]) == (408, f"The request did not arrive within {LIMIT} s.")
    wait_until(lambda: [line["status"] for line in service.log.lines("request")] == [408])
    assert [line["got"] for line in service.log.lines("cut_off")] == ["a part"]
    with service.connect() as client:
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert b'{method="POST",route="/predict",status="408"} 1.0' in rest(client)


@pytest.mark.parametrize("start", [b"", HEAD[:-2] + b"X-Long: ", CHUNKED + b"fffff\r\n"], ids=["lines", "head", "body"])
def test_drops_do_not_buy_time(service: Ports, start: bytes) -> None:
    """A byte now and then keeps no connection open: it is the whole that has to be there in time."""
    end = time.monotonic() + 4
    with service.connect() as client, suppress(ConnectionError):
        client.sendall(start)
        while is_silent(client, LIMIT / 20) and time.monotonic() < end:
            client.sendall(b"a" if start else b"\n")
    wait_until(lambda: len(service.log.lines("cut_off")) == 1, seconds=1)


@pytest.mark.parametrize("more", [b"", b"x" * 9, b"x" * 100], ids=["nothing", "some", "all"])
def test_body_after_its_answer_keeps_nothing_open(service: Ports, more: bytes) -> None:
    """A 401 comes before the body; who then sends it, or a part, and falls silent is cut off too."""
    with service.connect() as client:
        client.sendall(STRANGER)
        assert answer(client).startswith(b"HTTP/1.1 401 ")
        client.sendall(more)
        assert rest(client) == b""
    assert len(service.log.lines("cut_off")) == 1


def test_empty_line_after_an_answer_keeps_nothing_open(service: Ports) -> None:
    """Bytes that begin no request end uvicorn's wait for one, not ours."""
    with service.connect() as client:
        client.sendall(HEALTH)
        answer(client)
        client.sendall(b"\r\n")
        assert rest(client) == b""
    assert [line["got"] for line in service.log.lines("cut_off")] == ["nothing"]


def test_connection_may_rest_between_requests(service: Ports) -> None:
    """Requests in pieces are answered, and between them a connection may be idle for longer than a request may take."""
    with service.connect() as client:
        for _ in range(2):
            for piece in (HEAD[:30], HEAD[30:], BODY[:9], BODY[9:]):
                client.sendall(piece)
            assert answer(client).startswith(b"HTTP/1.1 200 ")
            assert is_silent(client, LIMIT * 3)
    assert service.log.lines("cut_off") == []


def is_silent(client: socket.socket, seconds: float) -> bool:
    """Whether for so long nothing comes, not even the end."""
    client.settimeout(seconds)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(4)
    return False


def working(done: threading.Event) -> Callable[..., Any]:
    """An application that works until told to end, without reading the body."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await asyncio.to_thread(done.wait, 10)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"{}"})

    return app


BIG = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000


@pytest.mark.parametrize("sent", [HEALTH, HEALTH + HEALTH[:20], HEALTH + HEALTH, BIG], ids=["one", "1½", "two", "big"])
def test_time_of_the_service_is_not_the_clients(log: ReadableLog, sent: bytes) -> None:
    """A request that has come is answered however long that takes, also with part of the next behind it, or unread."""
    done = threading.Event()
    with serving(working(done), log) as ports, ports.connect() as client:
        sender = threading.Thread(target=client.sendall, args=(sent,))
        sender.start()
        try:
            assert is_silent(client, LIMIT * 3)
            assert log.lines("cut_off") == []
        finally:
            done.set()
        assert answer(client).startswith(b"HTTP/1.1 200 ")
        sender.join(10)


def test_what_waited_for_the_service_has_its_time_anew(log: ReadableLog) -> None:
    """Half a request behind one that took long is not cut off the moment that one is answered, but in due time."""
    done = threading.Event()
    with serving(working(done), log) as ports, ports.connect() as client:
        client.sendall(HEALTH + HEALTH[:20])
        try:
            assert is_silent(client, LIMIT * 3)
        finally:
            begun = time.monotonic()
            done.set()
        assert rest(client).startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - begun > LIMIT


def test_whole_requests_cost_no_timer(service: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the connection itself arms one, not each request that comes in one piece."""
    armed: list[float] = []
    real = asyncio.BaseEventLoop.call_later

    def spy(loop: Any, delay: float, *args: Any, **options: Any) -> Any:
        armed.append(delay)
        return real(loop, delay, *args, **options)

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_later", spy)
    with service.connect() as client:
        for _ in range(5):
            client.sendall(HEAD + BODY)
            answer(client)
    assert armed.count(LIMIT) == 1
