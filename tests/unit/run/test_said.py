from __future__ import annotations

import pytest

from dockyard.run import said
from support import container


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "exit code 1"),
        (126, "exit code 126 (its command may not be executed)"),
        (127, "exit code 127 (its command was not found)"),
        (134, "exit code 134 (SIGABRT)"),
        (137, "exit code 137 (SIGKILL: killed by the kernel or by somebody)"),
        (139, "exit code 139 (SIGSEGV: native code crashed)"),
        (143, "exit code 143 (SIGTERM: somebody stopped it)"),
        (255, "exit code 255"),
    ],
)
def test_code(number, told):
    """An exit code is told with its meaning where it has one."""
    assert said.code(number) == told


def test_end():
    """How long it ran is what lies between its start and its end."""
    facts = container(started="2026-11-23T08:00:00.5Z", finished="2026-11-23T08:00:01.3Z", exit_code=2)
    assert said.end(facts) == "it ended after 0.8 s with exit code 2"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("plain text", "plain text"),
        ('{"level": "error", "event": "x", "message": "no luck", "error": "E"}', "error x: no luck; E"),
        ('{"ts": 1, "level": "info", "event": "request", "status": 503}', "info request: status=503"),
        ('{"broken', '{"broken'),
        ("[1, 2]", "[1, 2]"),
        ("{}", "{}"),
    ],
)
def test_readable(line, told):
    """Of a JSON document what it says is shown; anything else as it is."""
    assert said.readable(line) == told
