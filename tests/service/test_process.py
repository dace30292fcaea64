"""The real process: start, health check, signals, exit codes. Every port is a free one, every wait has a deadline."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import FLAT, KEY, Process, saved, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = json.dumps(FLAT).encode()
NAMES = ("first", "second")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_well(running: Process, number: signal.Signals) -> None:
    """A stop is no failure: exit code 0, all lines JSON, nothing on stderr."""
    running.popen.send_signal(number)
    assert running.popen.wait(10) == 0
    assert "stop" in [line["event"] for line in running.lines()]
    assert running.err.read_text() == ""


def test_request_in_hand_is_finished(running: Process) -> None:
    """A request that is half received at SIGTERM gets its answer, while no new one is let in."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as client:
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Length: {len(BODY)}\r\n"
        client.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")  # the application waits for the body
        running.popen.send_signal(signal.SIGTERM)
        running.wait_for("/health", None)
        client.sendall(BODY)
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"predicted_price" in answer
    assert running.popen.wait(10) == 0


def test_connection_that_asks_nothing_is_closed(start: Callable[..., Process]) -> None:
    """REQUEST_SECONDS is obeyed: the connection ends, one line says so, and the next client is served."""
    process = start(REQUEST_SECONDS="0.2")
    process.wait_for("/ready", 200)
    with socket.create_connection(("127.0.0.1", process.port), timeout=10) as client:
        assert client.recv(1) == b""
    wait_until(lambda: [line for line in process.lines() if line["event"] == "cut_off"])
    assert process.status("/ready") == 200


def test_drain_says_so_before_it_closes(start: Callable[..., Process]) -> None:
    """With a drain time /ready says 503 and predictions go on; a second signal does not wait."""
    process = start(DRAIN_SECONDS="300")
    process.wait_for("/ready", 200)
    process.popen.send_signal(signal.SIGTERM)
    process.wait_for("/ready", 503)
    answer = process.ask("POST", "/predict", body=BODY, headers={"X-API-Key": KEY})
    assert answer is not None
    assert answer.status == 200
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(10) == 0


def test_signal_during_start_ends_well(start: Callable[..., Process]) -> None:
    """SIGTERM counts from the first moment, as process 1 of a container would ignore it otherwise."""
    process = start()
    wait_until(lambda: _catches_sigterm(process.popen.pid))
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(10) == 0


def _catches_sigterm(pid: int) -> bool:
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["SigCgt"], 16) >> (signal.SIGTERM - 1) & 1)


def test_unusable_settings_exit_2(start: Callable[..., Process]) -> None:
    """One clear line on stderr for each, before anything listens."""
    process = start(PORT="none", API_KEY="")
    assert process.popen.wait(10) == 2
    assert process.err.read_text().splitlines() == [
        "house_pricing: PORT: must be a whole number from 1 to 65535 (it is 'none')",
        "house_pricing: API_KEY: no key is set: give API_KEY or API_KEY_FILE (AUTH=off serves without one)",
    ]


def test_short_key_in_production_exits_2(start: Callable[..., Process]) -> None:
    """A key that is too short is said without being shown."""
    process = start(API_ENV="production", API_KEY="short-key")
    assert process.popen.wait(10) == 2
    assert "API_KEY: key 1 has 9 characters" in process.err.read_text()
    assert "short-key" not in process.err.read_text()


@pytest.mark.parametrize("key", ["development-key-not-for-production", "changeme" * 8])
def test_well_known_key_in_production_exits_2(start: Callable[..., Process], key: str) -> None:
    """Long enough is not enough: a key that everybody knows is refused without being shown."""
    process = start(API_ENV="production", API_KEY=key)
    assert process.popen.wait(10) == 2
    assert process.err.read_text().startswith("house_pricing: API_KEY: key 1 ")
    assert key not in process.err.read_text()


def test_taken_port_exits_3(start: Callable[..., Process]) -> None:
    """A port that somebody else has is an error line and exit code 3."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(PORT=str(taken.getsockname()[1]))
        assert process.popen.wait(30) == 3
    assert any(line["level"] == "error" and "in use" in line["message"] for line in process.lines())


def test_root_path_is_told_to_clients(start: Callable[..., Process]) -> None:
    """Behind a proxy that takes a prefix off, paths stay and the document names the prefix."""
    process = start(ROOT_PATH="/prices/")
    process.wait_for("/ready", 200)
    with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/openapi.json", timeout=10) as answer:
        assert json.load(answer)["servers"] == [{"url": "/prices"}]
    assert process.healthcheck().returncode == 0


def test_log_folder_holds_what_stdout_holds(start: Callable[..., Process], tmp_path: Path) -> None:
    """Every line of the process is JSON, on stdout and in the folder."""
    process = start(LOG_DIR=str(tmp_path / "logs"))
    process.wait_for("/ready", 200)
    process.popen.terminate()
    assert process.popen.wait(10) == 0
    assert len(process.lines()) > 5
    assert (tmp_path / "logs" / "house-pricing-api.log").read_text() == process.out.read_text()


def test_unwritable_log_folder_does_not_stop_it(start: Callable[..., Process]) -> None:
    """The service starts, answers, and says once that the folder cannot be used."""
    process = start(LOG_DIR="/proc/nowhere")
    process.wait_for("/ready", 200)
    process.popen.terminate()
    assert process.popen.wait(10) == 0
    assert [line["event"] for line in process.lines()].count("log_file") == 1


def test_healthcheck_of_a_ready_service_is_0(running: Process) -> None:
    """Ready: exit code 0 and nothing to say."""
    checked = running.healthcheck()
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_healthcheck_of_a_service_without_model_says_why(
    start: Callable[..., Process], tmp_path: Path, shipped: bytes
) -> None:
    """Alive but not ready: exit code 1 and the reason on one line."""
    process = start(MODEL_PATH=str(saved(tmp_path, shipped, sha256="0" * 64)))
    wait_until(lambda: process.status("/health") == 200 and "changed" in process.healthcheck().stdout)
    checked = process.healthcheck()
    assert checked.returncode == 1
    assert checked.stdout == "status 503: No model: the file was changed. The log says more.\n"
    assert any(str(tmp_path) in line.get("message", "") for line in process.lines())


def test_healthcheck_has_its_own_deadline(running: Process) -> None:
    """A process that hangs is unhealthy after HEALTHCHECK_TIMEOUT."""
    running.popen.send_signal(signal.SIGSTOP)
    checked = running.healthcheck(HEALTHCHECK_TIMEOUT="0.2")
    running.popen.send_signal(signal.SIGCONT)
    assert (checked.returncode, checked.stdout) == (1, f"no answer from 127.0.0.1:{running.port} within 0.2 s\n")


def test_healthcheck_without_a_service_is_1(start: Callable[..., Process]) -> None:
    """Nobody listens: exit code 1, said on one line; the address follows HOST."""
    process = start(PORT="none")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = str(probe.getsockname()[1])
    for host, asked in {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "127.0.0.2": "127.0.0.2"}.items():
        checked = process.healthcheck(PORT=free, HOST=host)
        assert checked.returncode == 1
        assert checked.stdout.startswith(f"no answer from {asked}:{free}: ")
    assert process.healthcheck().stdout == "PORT: must be a whole number from 1 to 65535 (it is 'none')\n"


def test_runtime_does_not_report_to_its_maker() -> None:
    """Onnxruntime finds its telemetry switched off in the environment when it is imported."""
    code = (
        "import os, sys\n"
        "from house_pricing import model\n"
        "class Spy:\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'onnxruntime': sys.exit(os.environ.get('ORT_DISABLE_TELEMETRY') != '1')\n"
        "sys.meta_path.insert(0, Spy)\n"
        "model.runtime()\n"
        "sys.exit(2)\n"
    )
    environ = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    assert subprocess.run([sys.executable, "-c", code], env=environ, check=False).returncode == 0


@pytest.mark.parametrize("module", ["house_pricing.server", "house_pricing.healthcheck"])
def test_server_imports_no_training_library(module: str) -> None:
    """What the server and the health check import must not bring in what only training needs."""
    heavy = "sklearn pandas onnx skl2onnx onnxruntime numpy scipy" + (
        " fastapi pydantic uvicorn asyncio" if module.endswith("healthcheck") else ""
    )
    code = f"import sys, {module}; print(sorted(set({heavy.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_hangup_reads_the_keys_again(start: Callable[..., Process], tmp_path: Path) -> None:
    """SIGHUP takes the keys of the file as it is now, and keeps them where the file cannot be used; nothing stops."""
    path = tmp_path / "keys"
    path.write_text("first-key\n")
    process = start(API_KEY="", API_KEY_FILE=str(path))
    process.wait_for("/ready", 200)

    def statuses() -> list[int]:
        answers = [process.ask("POST", "/predict", body=BODY, headers={"X-API-Key": f"{n}-key"}) for n in NAMES]
        return [answer.status if answer else 0 for answer in answers]

    assert statuses() == [200, 401]
    path.write_text("second-key\n")
    process.popen.send_signal(signal.SIGHUP)
    wait_until(lambda: statuses() == [401, 200])
    path.write_text("")
    process.popen.send_signal(signal.SIGHUP)
    wait_until(lambda: [line for line in process.lines() if line["event"] == "keys_kept"])
    assert statuses() == [401, 200]
    process.popen.terminate()
    assert process.popen.wait(10) == 0


def test_hangup_during_start_is_survived(start: Callable[..., Process]) -> None:
    """SIGHUP before anything listens ends nothing."""
    process = start()
    wait_until(lambda: _catches_sigterm(process.popen.pid))
    process.popen.send_signal(signal.SIGHUP)
    process.wait_for("/ready", 200)
