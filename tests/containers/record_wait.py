"""Writes tests/data/wait: what the engine tells of containers that fail in every way that has a name.

Run by hand, with the built image of this repository: `python tests/containers/record_wait.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "wait"
API = "house-pricing-api:prod"
BASE = "dockyard.local/python:3.12-slim-bookworm"
KEY = "API_KEY=recorded-0123456789-abcdefghijklmnop"
SCRIPT = ["--entrypoint", "python3"]
CHECK = ["--health-interval=0.2s", "--health-start-period=0s", "--health-retries=2", "--health-timeout=1s"]
SLEEP = ["-c", "import time; time.sleep(600)"]
STATE = ("Status", "OOMKilled", "Pid", "ExitCode", "Error", "StartedAt", "FinishedAt", "Health")
CONFIG = ("Image", "Labels", "User", "Healthcheck")

# Name: options, image, command, and the state that is recorded.
CASES: dict[str, tuple[list[str], str, list[str], str]] = {
    "no_module": (["-e", KEY, "-e", "PYTHONPATH=/nowhere", "-w", "/"], API, [], "exited"),
    "import_traceback": (SCRIPT, API, ["-c", "import fastapi, torch"], "exited"),
    "import_name": (SCRIPT, API, ["-c", "from fastapi import Nothing"], "exited"),
    "syntax": (
        ["--tmpfs", "/app/x:mode=777", *SCRIPT],
        API,
        [
            "-c",
            "open('/app/x/broken.py', 'w').write('def f(:\\n'); import sys; sys.path.append('/app/x'); import broken",
        ],
        "exited",
    ),
    "key_missing": ([], API, [], "exited"),
    "key_weak": (["-e", "API_KEY=short"], API, [], "exited"),
    "key_file_missing": (["-e", "API_KEY_FILE=/run/secrets/api_key"], API, [], "exited"),
    "key_file_unreadable": (["-e", "API_KEY_FILE=/etc/shadow"], API, [], "exited"),
    "model_missing": (["-e", KEY, "-e", "MODEL_PATH=/models/none.onnx", *CHECK], API, [], "unhealthy"),
    "model_registry": (["-e", KEY, "-e", "MLFLOW_TRACKING_URI=http://127.0.0.1:9", *CHECK], API, [], "unhealthy"),
    "memory": (["--memory=24m", "--memory-swap=24m", *SCRIPT], API, ["-c", "print(len(bytearray(10**9)))"], "exited"),
    "logs_denied": (["--tmpfs", "/app/logs:mode=755", *SCRIPT], API, ["-c", "open('/app/logs/a.log', 'a')"], "exited"),
    "logs_full": (
        ["--tmpfs", "/app/full:mode=777,size=64k", *SCRIPT],
        API,
        ["-c", "open('/app/full/a.log', 'w').write('x' * 10**6)"],
        "exited",
    ),
    "read_only": (["--read-only", *SCRIPT], API, ["-c", "open('/app/cache', 'w')"], "exited"),
    "exec_format": (
        ["--tmpfs", "/x:mode=777,exec", *SCRIPT],
        API,
        [
            "-c",
            "import os; open('/x/a', 'wb').write(b'\\x7fELF junk'); os.chmod('/x/a', 0o755); os.execv('/x/a', ['a'])",
        ],
        "exited",
    ),
    "command_missing": ([], BASE, ["gunicorn", "app"], "created"),
    "command_missing_shell": ([], BASE, ["sh", "-c", "gunicorn app"], "exited"),
    "command_denied": ([], BASE, ["/etc/passwd"], "created"),
    "address_in_use": (
        SCRIPT,
        API,
        ["-c", "import socket; kept = [socket.create_server(('', 8000)) for _ in range(2)]"],
        "exited",
    ),
    "check_missing": (
        [*CHECK, "--health-cmd", "curl -f http://127.0.0.1:8000/ready", *SCRIPT],
        API,
        SLEEP,
        "unhealthy",
    ),
    "check_slow": ([*CHECK, "--health-cmd", "sleep 9", *SCRIPT], API, SLEEP, "unhealthy"),
    "loopback": (["-e", KEY, "-e", "HOST=127.0.0.1", *CHECK], API, [], "healthy"),
    "other_port": (["-e", KEY, "-e", "PORT=9000", *CHECK], API, [], "healthy"),
    "not_bound": (["-e", KEY, *CHECK, *SCRIPT], API, SLEEP, "unhealthy"),
    "healthy": (["-e", KEY, *CHECK], API, [], "healthy"),
    "restarts": (["--restart=on-failure:5", *SCRIPT], API, ["-c", "raise SystemExit('the odd thing')"], "restarting"),
    "unknown": (SCRIPT, API, ["-c", "raise SystemExit('the odd thing')"], "exited"),
    "done": (SCRIPT, API, ["-c", "print('all is done')"], "exited"),
    "segfault": (SCRIPT, API, ["-c", "import ctypes; ctypes.string_at(0)"], "exited"),
}


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run docker."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=check)


def record(name: str) -> dict[str, object]:
    """Return what the engine tells of one container in the state that is waited for."""
    options, image, command, wanted = CASES[name]
    port = ["--publish", "127.0.0.1::8000"]
    label = ["--label", "dev.dockyard.project=dockyard-record"]
    called = f"dockyard-record-{name.replace('_', '-')}"
    docker("run", "--detach", "--name", called, *label, *port, *options, image, *command, check=False)
    try:
        deadline = time.monotonic() + 30
        while True:
            told = json.loads(docker("inspect", called).stdout)[0]
            state = told["State"]
            if wanted in (state["Status"], (state.get("Health") or {}).get("Status")):
                break
            if time.monotonic() > deadline:
                sys.stderr.write(f"{name}: {state}\n")
                break
            time.sleep(0.02)
        logged = docker("logs", called)
        seen = docker("exec", called, "cat", "/proc/net/tcp", "/proc/net/tcp6", check=False)
        return {
            "inspect": {
                **{key: told[key] for key in ("Id", "Name", "Image", "RestartCount", "Path", "Args", "Mounts")},
                "State": {key: state[key] for key in STATE if key in state},
                "Config": {key: told["Config"][key] for key in CONFIG if key in told["Config"]},
                "HostConfig": {"Memory": told["HostConfig"]["Memory"]},
                "NetworkSettings": {"Ports": told["NetworkSettings"]["Ports"]},
            },
            "log": [*logged.stdout.splitlines(), *logged.stderr.splitlines()],
            "sockets": seen.stdout if seen.returncode == 0 else None,
        }
    finally:
        docker("rm", "--force", "--volumes", called)


if __name__ == "__main__":
    for each in sys.argv[1:] or CASES:
        (DATA / f"{each}.json").write_text(json.dumps(record(each), indent=1, ensure_ascii=False) + "\n", "utf-8")
