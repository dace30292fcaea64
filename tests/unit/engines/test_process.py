from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback

import pytest

from dockyard.engines import process
from dockyard.engines.process import Completed
from dockyard.errors import EngineError
from support import sentences

PYTHON = [sys.executable, "-IS", "-c"]


def eventually(holds) -> bool:
    """Ask until something holds, for ten seconds at most."""
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def main_stack() -> traceback.StackSummary:
    """Return where the main thread is now."""
    return traceback.extract_stack(sys._current_frames()[threading.main_thread().ident])


def test_completed():
    """What a command printed and its exit code come back apart."""
    done = process.run([*PYTHON, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"])

    assert done == Completed(code=3, output="out\n", error="err\n")
    assert not done.ok


def test_environment(monkeypatch):
    """Variables are put on top of ours."""
    monkeypatch.setenv("KEPT", "1")
    script = "import os; print(os.environ['KEPT'], os.environ['GIVEN'])"
    assert process.run([*PYTHON, script], environment={"GIVEN": "2"}).output == "1 2\n"


def streamed(command, **options):
    """The lines of a command, and what it did."""
    lines, stream = [], process.stream(command, **{"timeout": 20} | options)
    while True:
        try:
            lines.append(next(stream))
        except StopIteration as end:
            return lines, end.value


def test_stream(monkeypatch):
    """Lines come as they are printed; code, error and variables are those of the command."""
    script = "import os, sys; print('one'); print(os.environ['MORE']); print('err', file=sys.stderr); sys.exit(3)"
    lines, done = streamed([*PYTHON, script], environment={"MORE": "two"})

    assert lines == ["one", "two"]
    assert (done.code, done.output, done.error) == (3, "one\ntwo", "err\n")
    assert streamed(["there-is-no-such-program"]) == (
        [],
        Completed(code=127, output="", error="there-is-no-such-program: not found"),
    )


def test_stream_ends():
    """A command that takes too long is ended and says so; one that nobody listens to any more is ended too."""
    script = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    lines, done = streamed([*PYTHON, script], timeout=0.5)
    assert not done.ok
    assert "did not end within 0.5 s" in done.error
    assert not process.running(int(lines[0]))

    stream = process.stream([*PYTHON, script], timeout=60)
    pid = int(next(stream))
    stream.close()
    assert not process.running(pid)


def test_missing():
    """A program that is not there answers 127, as in a shell."""
    done = process.run(["no-such-program-here", "--version"])

    assert done == Completed(code=127, output="", error="no-such-program-here: not found")


def test_undecodable():
    """Bytes that are not UTF-8 are replaced; what is around them stays."""
    done = process.run([*PYTHON, r"import sys; sys.stdout.buffer.write(b'caf\xc3\xa9 \xff!')"])

    assert done.output == "café �!"


def test_no_input():
    """A command that asks for input is told that there is none, and takes nothing of ours."""
    reader, writer = os.pipe()
    os.write(writer, b"ours\n")
    kept = os.dup(0)
    os.dup2(reader, 0)
    try:
        assert process.run([*PYTHON, "import sys; print(repr(sys.stdin.readline()))"]).output == "''\n"
    finally:
        os.dup2(kept, 0)
        for each in (reader, writer, kept):
            os.close(each)


def test_timeout(tmp_path):
    """A command that goes on too long is ended, with what it started, and named."""
    child = tmp_path / "child"
    script = f"sleep 60 & echo $! > {child}; wait"

    with pytest.raises(EngineError) as caught:
        process.run(["/bin/sh", "-c", script], timeout=0.3)

    what, why, _ = sentences(caught.value)
    assert what == "`/bin/sh` did not end within 0.3 s."
    assert script in why
    assert eventually(lambda: not process.running(int(child.read_text())))


def test_stubborn(monkeypatch):
    """A command that does not end when it is asked to is ended for good."""
    monkeypatch.setattr(process, "TIDY_SECONDS", 0.1)

    with pytest.raises(EngineError):
        process.run(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 60; done"], timeout=0.1)


@pytest.mark.parametrize(
    ("finish", "work", "left"),
    [pytest.param(True, 0.5, "finished", id="finish"), pytest.param(False, 60, "tidied", id="end")],
)
def test_ctrl_c(tmp_path, finish, work, left):
    """Ctrl-C reaches us alone: the command is ended politely, or may finish where that was asked for."""
    begun, done = tmp_path / "begun", tmp_path / "done"
    script = f"trap 'echo tidied > {done}; exit' TERM; : > {begun}; sleep {work} & wait; echo finished > {done}"

    def press() -> None:
        eventually(lambda: begun.exists() and "communicate" in [each.name for each in main_stack()])
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt):
        process.run(["/bin/sh", "-c", script], finish=finish)

    assert done.read_text() == f"{left}\n"


def test_attended_ctrl_c(tmp_path):
    """Ctrl-C ends a command that is attended politely, with all that it started, and its log is whole."""
    begun, log = tmp_path / "begun", tmp_path / "log"
    script = f"trap 'echo tidied; exit' TERM; sleep 60 & echo $! > {begun}; wait; echo finished"

    def press() -> None:
        waits = lambda: "wait" in [each.name for each in main_stack()]  # noqa: E731
        eventually(lambda: begun.exists() and begun.read_text().endswith("\n") and waits())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt):
        process.attend(["/bin/sh", "-c", script], folder=tmp_path, environment={}, log=log)

    assert log.read_text() == "tidied\n"
    assert eventually(lambda: not process.running(int(begun.read_text())))


@pytest.mark.parametrize(
    ("output", "error", "line"),
    [
        ("one\ntwo\n", "", "two"),
        ("one\n", "first\n  second  \n\n", "second"),
        ("", " \n", "exit code 4, no output"),
    ],
)
def test_last_line(output, error, line):
    """The last line that says something is that of standard error, else of standard output."""
    assert Completed(code=4, output=output, error=error).last_line == line


def test_find():
    """A program is found on PATH, or not."""
    assert process.find("sh")
    assert process.find("no-such-program-here") is None


def test_detached(tmp_path):
    """A detached process is no child of ours, logs to its file, and is known to run until it has ended."""
    log = tmp_path / "state" / "log"
    pid = process.start_detached(["/bin/sh", "-c", "echo said; echo wrong >&2; sleep 60"], log=log)

    try:
        assert process.running(pid)
        assert eventually(lambda: log.is_file() and log.read_text() == "said\nwrong\n")
        process.interrupt_children()
        assert process.running(pid)
    finally:
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not process.running(pid))


def test_running_zombie():
    """A process that has ended does not run, even while its parent has not noticed; nor does one that never was."""
    with subprocess.Popen([*PYTHON, "pass"]) as started:
        assert eventually(lambda: not process.running(started.pid))
    assert not process.running(2**22 + 1)


def test_interrupt_children():
    """The processes that we started get Ctrl-C."""
    script = "import time\ntry: print('ready', flush=True); time.sleep(60)\nexcept KeyboardInterrupt: print('stopped')"
    with subprocess.Popen([*PYTHON, script], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout.readline() == "ready\n"
        process.interrupt_children()
        assert started.stdout.read() == "stopped\n"


def test_interrupt_stubborn(monkeypatch):
    """A process that does not end on Ctrl-C is waited for, and not for ever."""
    monkeypatch.setattr(process, "TIDY_SECONDS", 0.1)
    script = "trap '' INT; echo ready; exec sleep 60"
    with subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout.readline() == "ready\n"
        process.interrupt_children()
        assert started.poll() is None
        started.kill()
