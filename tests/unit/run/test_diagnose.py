from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dockyard.engines.facts import HealthCheck, read_container
from dockyard.engines.sockets import Socket, read_sockets
from dockyard.run.diagnose import SHOWN_LINES, UNKNOWN, diagnose
from dockyard.run.evidence import Evidence, bound
from support import DATA, container, recorded

# What the engine told of real containers (tests/containers/record_wait.py), and the cause that people must read.
CAUSES = {
    "address_in_use": "the address is in use",
    "check_missing": "the health check itself is broken: curl cannot be run in the image",
    "check_slow": "the health check never ends within its timeout (1 s)",
    "command_denied": "its command may not be executed: permission denied for /etc/passwd",
    "command_missing": "its command was not found: gunicorn is not in the image",
    "command_missing_shell": "its command was not found: gunicorn is not in the image",
    "done": "it ended without an error: its command had nothing more to do, or somebody stopped it",
    "exec_format": "exec format error: its program is for another processor, or is no program",
    "healthy": "",
    "import_name": "it crashed on import of Nothing from fastapi",
    "import_traceback": "it crashed on import of torch: no such module in the image",
    "key_file_missing": "the key file /run/secrets/api_key cannot be read: No such file or directory",
    "key_file_unreadable": "the key file /etc/shadow cannot be read: Permission denied",
    "key_missing": "the API key is missing",
    "key_weak": "the key is too weak: it has 5 characters; API_ENV=production asks for 32",
    "logs_denied": "permission denied: /app/logs/a.log",
    "logs_full": "the disk is full",
    "loopback": "port 8000 is bound to 127.0.0.1 inside the container, where no host reaches it",
    "memory": "killed for memory: its limit is 24 MiB",
    "model_missing": "MODEL_PATH: the model cannot be read: [Errno 2] No such file or directory: '/models/none.onnx'",
    "model_registry": "the registry does not answer, there is no last good copy",
    "no_module": "it crashed on import of house_pricing: no such module in the image",
    "not_bound": "port 8000 is not bound: its process runs, but listens nowhere",
    "other_port": "it listens on another port, 9000; 8000 is published",
    "read_only": "it writes to the read-only file system: /app/cache",
    "restarts": "",
    "segfault": "native code in it crashed (SIGSEGV)",
    "syntax": "it crashed on import: SyntaxError: invalid syntax in /app/x/broken.py, line 1",
    "unknown": "",
}


def seen(name: str) -> Evidence:
    """What was seen of a real container."""
    told = json.loads(recorded(f"wait/{name}.json"))
    sockets = None if told["sockets"] is None else tuple(read_sockets(told["sockets"]))
    return Evidence(facts=read_container(told["inspect"]), lines=tuple(told["log"]), sockets=sockets)


def test_all_recorded():
    """Every container that was recorded is in the table."""
    assert {path.stem for path in (DATA / "wait").glob("*.json")} == set(CAUSES)


@pytest.mark.parametrize(("name", "cause"), CAUSES.items(), ids=CAUSES)
def test_cause(name, cause):
    """What a real container left behind names its cause; what names none is said to."""
    found = diagnose(seen(name))

    assert cause in found.cause
    assert bool(found.cause) is bool(cause)
    assert found.why.splitlines()[0] == (f"Likely cause: {found.cause}." if cause else UNKNOWN)
    assert found.todo


def ended(*lines: str, **changed) -> Evidence:
    return Evidence(facts=container(status="exited", exit_code=1, health="", **changed), lines=lines)


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (["ModuleNotFoundError: No module named 'a'", "falling back", "ValueError: b"], "it crashed: ValueError: b"),
        (["ModuleNotFoundError: No module named 'a'", "During handling …", "KeyError: 'MY_API_KEY'"], "MY_API_KEY"),
        (["ImportError: libgomp.so.1: cannot open shared object file"], "it crashed on import: libgomp.so.1"),
        (
            ["FileNotFoundError: [Errno 2] No such file or directory: '/m/price.pkl'"],
            "the model /m/price.pkl is missing",
        ),
        (["loaded /m/price.pkl", "something odd"], ""),
        (["PermissionError: [Errno 13] Permission denied: '/app/logs/a'"], "on the volume mounted at /app/logs"),
        (["PermissionError: [Errno 13] Permission denied: '/etc/a'"], "permission denied: /etc/a"),
        (
            ["PermissionError: [Errno 13] Permission denied: '/run/secrets/api_key'"],
            "the key file /run/secrets/api_key",
        ),
        (["exec /app/serve: exec format error"], "exec format error"),
        (["terminate called after throwing an instance of 'std::bad_alloc'"], "it ran out of memory"),
        (["the user was not found"], ""),
    ],
)
def test_last_words(lines, cause):
    """The latest words count: what a service survived, or only mentioned, is not blamed."""
    found = diagnose(ended(*lines)).cause
    assert cause in found
    assert bool(found) is bool(cause)


def test_alive():
    """A mistake in the log of a process that goes on is not taken for the cause."""
    for output in ("503", "OSError: [Errno 13] Permission denied: '/var/cache'"):
        facts = container(health="unhealthy", checks=(HealthCheck(code=1, seconds=0.1, output=output),))
        assert diagnose(Evidence(facts=facts, lines=("ModuleNotFoundError: No module named 'a'",))).cause == ""


@pytest.mark.parametrize(
    ("code", "cause"), [(137, "not for its memory limit"), (143, "somebody stopped it"), (127, "not found"), (3, "")]
)
def test_exit_codes(code, cause):
    """An exit code that has a meaning is a cause where nothing was said."""
    found = diagnose(Evidence(facts=container(status="exited", exit_code=code))).cause
    assert cause in found
    assert bool(found) is bool(cause)


def test_paused():
    """A paused container is said to be, whatever its health check says of it."""
    checks = (HealthCheck(code=-1, seconds=2, output="Health check exceeded timeout (2s)"),)
    assert diagnose(Evidence(facts=container(status="paused", checks=checks))).cause == "it is paused"


def test_ports_told():
    """What listens within stands beside what is published and how that answers; the engine's own DNS is left out."""
    sockets = (Socket(address="127.0.0.1", port=8000), Socket(address="127.0.0.11", port=40000))
    evidence = Evidence(facts=container(), sockets=sockets, refused={"127.0.0.1:8000": "Connection refused"})

    told = "Ports: inside: 127.0.0.1:8000; on the host: 8000/tcp published at 127.0.0.1:8000 (Connection refused)."
    assert told in diagnose(evidence).evidence


def test_stopped_ports():
    """What a stopped container listened on is said to be unknown."""
    assert any("inside: unknown, it does not run" in line for line in diagnose(ended()).evidence)


def test_short():
    """Of a long log the last lines are shown, of a JSON document what it says."""
    line = '{"ts": 1, "level": "error", "event": "boom", "message": "no luck", "request_id": "x"}'
    told = diagnose(ended(*["a"] * 50, line)).evidence

    assert told[-1] == "  | error boom: no luck"
    assert len([each for each in told if each.startswith("  | ")]) == SHOWN_LINES


@pytest.mark.parametrize(
    ("ports", "sockets", "reached"),
    [
        ({"8000/tcp": ("", 1)}, [("0.0.0.0", 8000)], True),
        ({"8000/tcp": ("", 1)}, [("::", 8000)], True),
        ({"8000/tcp": ("", 1)}, [("::1", 8000), ("127.0.0.1", 8000)], False),
        ({"8000/tcp": ("", 1)}, [("0.0.0.0", 8001)], False),
        ({"8000/tcp": ("", 1)}, [], False),
        ({"53/udp": ("", 1)}, [], True),
        ({}, [], True),
    ],
)
def test_bound(ports, sockets, reached):
    """A published TCP port must be listened on where the host reaches it; nothing else is asked for."""
    found = tuple(Socket(address=address, port=port) for address, port in sockets)
    assert bound(container(ports=ports), found) is reached


def test_slow():
    """Where all is well but the time, the time is the cause; not before the deadline."""
    evidence = Evidence(facts=container(health="starting"), sockets=(Socket(address="0.0.0.0", port=8000),), slow=True)
    assert "starts too slowly" in diagnose(evidence).cause
    assert diagnose(replace(evidence, slow=False)).cause == ""
