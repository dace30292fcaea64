"""Answers of `docker buildx build --check`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dockyard.audit.observed import Ran
from dockyard.dockerfile import parse

if TYPE_CHECKING:
    from collections.abc import Callable

WARNED = """\
WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/
JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
Dockerfile:2
--------------------
   1 |     FROM scratch
   2 | >>> CMD serve
--------------------
"""


def evidence(output: str = "Check complete, no warnings found.\n", code: int = 0) -> dict[str, object]:
    """Return BuildKit's answer on a small Dockerfile."""
    command = "docker buildx build --check"
    return {
        "build_check": Ran(command=command, code=code, output=output),
        "dockerfile": parse("FROM scratch\nCMD serve\n"),
    }


PASSING: dict[str, Callable[[], dict[str, object]]] = {"IMG-14": evidence}
FAILING: dict[str, list[tuple[str, Callable[[], dict[str, object]]]]] = {
    "IMG-14": [("JSONArgsRecommended: JSON arguments recommended for CMD", partial(evidence, WARNED, 1))],
}
