"""The real process under load: nothing is lost half-way, whether it stops or takes another model."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import FLAT, KEY, Process, edited, saved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MANY = 1000
BODY = json.dumps(FLAT).encode()
HEAD = f"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
TIMEOUT = 60


@pytest.fixture
def many_files() -> Iterator[None]:
    """A thousand connections need more open files than a shell allows by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * MANY if hard == resource.RLIM_INFINITY else min(2 * MANY, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Caller:
    """One connection; what it sent and what came back."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self) -> bytes:
        """One request on an open connection; everything that came back until the server closed or answered."""
        answer = b""
        try:
            self._writer.write(HEAD + BODY)
            await self._writer.drain()
            answer = await self._reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line[16:]) for line in answer.lower().splitlines() if line.startswith(b"content-length: ")
            )
            answer += await self._reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            answer += error.partial
        except OSError:
            pass
        return answer

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return


def is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 OK"):
        return False
    try:
        return bool(json.loads(body)["predicted_price"] > 0)
    except ValueError:
        return False


@pytest.mark.usefixtures("many_files")
def test_stop_loses_no_request_of_a_thousand(running: Process) -> None:
    """Of 1,000 requests before and after SIGTERM each is answered in full or not begun, and the log agrees."""

    async def scene() -> list[bytes]:
        callers = [Caller(running.port) for _ in range(MANY)]
        for start in range(0, MANY, 100):
            await asyncio.gather(*(caller.open() for caller in callers[start : start + 100]))
        asked = [asyncio.create_task(caller.ask()) for caller in callers[: MANY // 2]]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        running.popen.send_signal(signal.SIGTERM)
        asked += [asyncio.create_task(caller.ask()) for caller in callers[MANY // 2 :]]
        answers = await asyncio.wait_for(asyncio.gather(*asked), TIMEOUT)
        await asyncio.gather(*(caller.close() for caller in callers))
        return answers

    answers = asyncio.run(scene())
    assert running.popen.wait(10) == 0
    whole = [answer for answer in answers if is_whole(answer)]
    assert [answer for answer in answers if answer and not is_whole(answer)] == []
    assert whole
    served = [line for line in running.lines() if line["event"] == "request" and line["route"] == "/predict"]
    assert [line["status"] for line in served] == [200] * len(whole)


def test_reload_under_load_keeps_answering(start: Callable[..., Process], tmp_path: Path, shipped: bytes) -> None:
    """While the model is swapped back and forth every request is answered, each by one of the two models."""

    def dearer(contract: dict[str, Any]) -> None:
        contract.update(version="2.0.0", currency="XTS")

    models = [shipped, edited(shipped, dearer)]
    path = saved(tmp_path, models[0])
    process = start(MODEL_PATH=str(path))
    process.wait_for("/ready", 200)

    async def keep_asking(done: asyncio.Event) -> list[bytes]:
        caller, answers = Caller(process.port), []
        await caller.open()
        while not done.is_set():
            answers.append(await caller.ask())
        await caller.close()
        return answers

    def swap(number: int) -> int:
        saved(tmp_path, models[number % 2])
        answer = process.ask("POST", "/model/reload", headers={"X-API-Key": KEY})
        return answer.status if answer else 0

    async def scene() -> tuple[list[int], list[bytes]]:
        done = asyncio.Event()
        callers = [asyncio.create_task(keep_asking(done)) for _ in range(8)]
        swaps = [await asyncio.to_thread(swap, number) for number in range(1, 11)]
        done.set()
        answers = await asyncio.wait_for(asyncio.gather(*callers), TIMEOUT)
        return swaps, [answer for part in answers for answer in part]

    swaps, answers = asyncio.run(scene())
    assert swaps == [200] * 10
    assert [answer for answer in answers if not is_whole(answer)] == []
    bodies = [json.loads(answer.partition(b"\r\n\r\n")[2]) for answer in answers]
    assert {(body["model_version"], body["currency"]) for body in bodies} == {
        ("french-listings-1.0.0", "EUR"),
        ("french-listings-2.0.0", "XTS"),
    }
