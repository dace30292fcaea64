"""The servers that bench/service.py compares: how each is started, asked, measured and ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
KEY = "a-key-of-32-letters-for-the-bench"
OURS, COLUMNS, TENSOR = "house-pricing-api", "mlflow, columns", "mlflow, tensor"


def stop(what: str, why: str, todo: str) -> None:
    """End with three lines."""
    sys.stderr.write(f"{what}\n{why}\n{todo}\n")
    sys.exit(3)


def pinned(core: int, command: list[str]) -> list[str]:
    """The command on one core, where that can be had."""
    two_cores = len(os.sched_getaffinity(0)) > 1 if hasattr(os, "sched_getaffinity") else False
    if not (two_cores and shutil.which("taskset")):
        return command
    return ["taskset", "--cpu-list", str(sorted(os.sched_getaffinity(0))[core]), *command]


def free_port() -> int:
    """A port of the loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def ask(port: int, method: str, path: str, body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> tuple[int, bytes]:
    """One request; status 0 where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers))
        reply = connection.getresponse()
        return reply.status, reply.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def core_seconds(pid: int) -> float:
    """Processor time of a server and its workers so far."""
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


@contextlib.contextmanager
def serving(command: list[str], environ: dict[str, str], folder: Path, port: int, path: str) -> Iterator[int]:
    """Run a server until it answers and for as long as it is needed; end it by its id."""
    folder.mkdir()
    with (folder / "out").open("wb") as out:
        server = subprocess.Popen(
            pinned(0, command), env=environ, cwd=folder, stdout=out, stderr=out, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 90
        while ask(port, "GET", path, b"")[0] != http.client.OK:
            if server.poll() is not None or time.monotonic() > deadline:
                tail = (folder / "out").read_text(errors="replace")[-500:]
                stop(f"{command[2]} does not serve.", tail, "Install the group `dev`.")
            time.sleep(0.1)
        yield server.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def environment(**more: str) -> dict[str, str]:
    """What a server gets: nothing of ours by accident."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ} | more


def service(port: int, folder: Path) -> tuple[list[str], dict[str, str], str]:
    """How to start the service, and where it says that it is ready."""
    own = {"HOST": "127.0.0.1", "PORT": str(port), "API_KEY": KEY, "API_ENV": "production", "LOG_DIR": str(folder)}
    own |= {"CONFIG_DIR": str(ROOT / "config"), "PYTHONPATH": str(ROOT / "src")}
    return [sys.executable, "-m", "house_pricing"], environment(**own), "/ready"


def scoring(port: int, saved: Path) -> tuple[list[str], dict[str, str], str]:
    """The same for MLflow's scoring server."""
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(saved), "--env-manager", "local"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    return command, environment(MLFLOW_DISABLE_TELEMETRY="true", PYTHONWARNINGS="ignore"), "/ping"


def save_for_mlflow(model: Any, names: list[str], folder: Path) -> None:
    """The same ONNX graph as two MLflow models, which differ in their signature."""
    import numpy as np  # noqa: PLC0415 - as above
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.onnx import save_model  # noqa: PLC0415
    from mlflow.types import ColSpec, Schema, TensorSpec  # noqa: PLC0415

    columns = Schema([ColSpec("float", name) for name in names])
    tensor = Schema([TensorSpec(np.dtype(np.float32), (-1, len(names)), "features")])
    for kind, schema in {COLUMNS: columns, TENSOR: tensor}.items():
        save_model(model, str(folder / kind), signature=ModelSignature(schema), pip_requirements=[])
