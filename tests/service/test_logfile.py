"""The log file is bounded, and its failure is news, once."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from house_pricing.logfile import RETRY_SECONDS, LogFile


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "a.log"


def line(number: int) -> bytes:
    return f"{number:09d}\n".encode()


def test_lines_are_appended_and_the_folder_is_made(path: Path) -> None:
    """A second start goes on where the first one ended."""
    for number in (1, 2):
        log = LogFile(path, 100, 1)
        assert log.write([line(number)]) is None
        log.close()
    assert path.read_bytes() == line(1) + line(2)


@pytest.mark.parametrize("backups", [0, 1, 3])
@pytest.mark.parametrize("together", [1, 100])
def test_size_is_bounded_by_rotation(path: Path, backups: int, together: int) -> None:
    """No file exceeds its size, no more files are kept than asked for, and the newest lines are there."""
    log = LogFile(path, 100, backups)
    lines = [line(number) for number in range(100)]
    for start in range(0, 100, together):
        log.write(lines[start : start + together])
    log.close()
    files = [path, *(path.with_name(f"a.log.{number}") for number in range(1, backups + 1))]
    assert sorted(path.parent.iterdir()) == sorted(files)
    assert max(file.stat().st_size for file in files) <= 100
    kept = b"".join(file.read_bytes() for file in reversed(files))
    assert b"".join(lines).endswith(kept)
    assert kept.endswith(line(99))


def test_line_longer_than_the_file_is_written_whole(path: Path) -> None:
    """A line is never cut, and never rotated for ever."""
    log = LogFile(path, 10, 1)
    log.write([b"x" * 50 + b"\n", b"y\n"])
    log.close()
    assert path.read_bytes() == b"y\n"
    assert path.with_name("a.log.1").read_bytes() == b"x" * 50 + b"\n"


def test_cut_line_is_ended_first(path: Path) -> None:
    """After a crash the first new line does not stick to half an old one."""
    path.parent.mkdir()
    path.write_bytes(b'{"half')
    log = LogFile(path, 100, 1)
    log.write([line(1)])
    log.close()
    assert path.read_bytes() == b'{"half\n' + line(1)


def test_deleted_file_is_made_again(path: Path) -> None:
    """An operator who deletes the file gets a new one, not a hidden growing one."""
    log = LogFile(path, 100, 1)
    log.write([line(1)])
    path.unlink()
    log.write([line(2)])
    log.close()
    assert path.read_bytes() == line(2)


def test_unwritable_folder_is_said_once_and_tried_again(path: Path) -> None:
    """The first failure is told, the next are silent, and so is nothing when it works again."""
    path.parent.write_text("a file where the folder should be")
    clock = Clock()
    log = LogFile(path, 100, 1, clock)
    assert "cannot be written, stdout goes on" in (log.write([line(1)]) or "")
    assert log.write([line(2)]) is None
    clock.now += RETRY_SECONDS
    assert log.write([line(3)]) is None
    path.parent.unlink()
    assert log.write([line(4)]) is None
    clock.now += RETRY_SECONDS
    assert log.write([line(5)]) == "the log file is written again"
    log.close()
    assert path.read_bytes() == line(5)


def test_full_disk_is_said_once() -> None:
    """A disk without room does not reach the caller as an exception."""
    log = LogFile(Path("/dev/full"), 100, 1)
    assert os.strerror(errno.ENOSPC) in (log.write([line(1)]) or "")
    assert log.write([line(2)]) is None
