"""One JSON object a line, whatever is in it and whatever happens to the places it goes to."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from pathlib import Path

from house_pricing import logs
from house_pricing.logfile import LogFile

from .conftest import ReadableLog, wait_until

ATTACK = 'a\r\n{"level":"error"}\x1b[2J\x7f\x9b\u2028\u202e'


def test_line_begins_with_time_level_and_event(log: ReadableLog) -> None:
    """The time is UTC with milliseconds; fields follow in the order they were given."""
    log.event("info", "something", b=1, a=None)
    (line,) = log.lines()
    assert list(line) == ["ts", "level", "event", "b", "a"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])


def test_text_cannot_break_a_line_or_reach_a_terminal(log: ReadableLog) -> None:
    """Line ends, escape sequences and direction marks are gone even after a viewer undid JSON's escapes."""
    log.event("info", "attack", message=ATTACK)
    assert len(log.text().splitlines()) == 1
    (line,) = log.lines()
    assert line["message"].isprintable()


def test_long_text_is_cut(log: ReadableLog) -> None:
    """One event cannot fill the disk."""
    log.event("info", "long", message="x" * 1_000_000)
    assert len(log.text()) < logs.MAX_TEXT + 200


def test_level_decides_what_is_written(tmp_path: Path) -> None:
    """Lines below the level cost nothing and are not there."""
    log = ReadableLog(tmp_path / "out", level="warning")
    for level in logs.LEVELS:
        log.event(level, level)
    assert [line["event"] for line in log.lines()] == ["warning", "error"]
    log.close()


def test_file_gets_the_same_lines(tmp_path: Path) -> None:
    """Stdout and the file hold the same."""
    path = tmp_path / "logs" / logs.FILE_NAME
    log = ReadableLog(tmp_path / "out", file=LogFile(path, 10_000, 1))
    log.event("info", "one")
    log.event("info", "two")
    text = log.text()
    log.close()
    assert path.read_text() == text


def test_unwritable_file_is_said_once_on_stdout(tmp_path: Path) -> None:
    """Every line still reaches stdout; the reason is one warning."""
    log = ReadableLog(tmp_path / "out", file=LogFile(Path("/proc/nowhere/a.log"), 10_000, 1))
    for number in range(3):
        log.event("info", "line", number=number)
        log.flush()
    assert len(log.lines("line")) == 3
    (news,) = log.lines("log_file")
    assert news["level"] == "warning"
    log.close()


def test_lines_are_written_without_being_asked(log: ReadableLog, tmp_path: Path) -> None:
    """A thread writes what is pending; nobody has to flush."""
    log.event("info", "one")
    wait_until(lambda: (tmp_path / "stdout.log").read_text().endswith("\n"))


def test_close_writes_what_is_left(tmp_path: Path) -> None:
    """The last lines are not lost."""
    log = ReadableLog(tmp_path / "out")
    for number in range(1000):
        log.event("info", "line", number=number)
    log.close()
    numbers = [json.loads(line)["number"] for line in (tmp_path / "out").read_text().splitlines()]
    assert numbers == list(range(1000))


def test_lines_of_many_threads_are_whole(log: ReadableLog) -> None:
    """Threads that write at once lose nothing and mix nothing."""

    def write(name: int) -> None:
        for number in range(200):
            log.event("info", "line", thread=name, number=number)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = {(line["thread"], line["number"]) for line in log.lines("line")}
    assert len(seen) == 1600


def test_blocked_stdout_holds_nobody_up() -> None:
    """When nobody reads stdout, lines beyond a bound are dropped and counted instead of waited for."""
    reader, writer = os.pipe()
    log = logs.Log(stdout=writer)
    for _ in range(logs.MAX_PENDING * 2):
        log.event("info", "line", text="x" * 100)
    os.set_blocking(reader, False)
    received = bytearray()

    def drained() -> bool:
        try:
            received.extend(os.read(reader, 1_000_000))
        except BlockingIOError:
            log.event("info", "nudge")
        return b"log_lines_dropped" in received

    wait_until(drained)
    os.close(reader)
    log.close()
    os.close(writer)


def test_closed_stdout_is_survived() -> None:
    """A reader that went away breaks nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    log = logs.Log(stdout=writer)
    log.event("info", "line")
    log.close()
    os.close(writer)


def test_lines_of_libraries_have_the_same_form(log: ReadableLog) -> None:
    """Uvicorn's records become events; an exception gives its type and place, not its text."""
    logger = logging.Logger("uvicorn.error")
    logger.addHandler(logs.Bridge(log))
    logger.warning("hello %s", ATTACK)
    try:
        int("s3cret")
    except ValueError:
        logger.exception("failed")
    logger.critical("worse")
    first, second, third = log.lines("library")
    assert (first["level"], first["logger"]) == ("warning", "uvicorn.error")
    assert (second["level"], second["error"], third["level"]) == ("error", "ValueError", "error")
    assert "test_logs.py" in second["where"]
    assert "s3cret" not in log.text()
