"""The Dockerfile that BuildKit is sent where a changed secret is to run its steps again: with a mark in each of them.

A step's cache key holds the id of a secret, and never its value. So a RUN that mounts a secret gets one more secret
mount, whose id is the mark. Nobody gives that one and it is optional, so that BuildKit mounts nothing there; and the
history of an image names no mounts, so that the image knows nothing of it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.errors import DockyardError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.dockerfile import Dockerfile, Mount
    from dockyard.plan import BuildPlan

RUN = re.compile(r"\ufeff?\s*RUN(?=\s|$|[\\`])", re.IGNORECASE)
MOUNT = " --mount=type=secret,id=dockyard-"
MOUNTED = re.compile(rf"{MOUNT}[0-9a-f]+")


def secret_of(mount: Mount) -> str:
    """Return the id of a secret; without one it is the last part of its target."""
    return mount.id or mount.source or mount.target.rpartition("/")[2]


@contextmanager
def marked(plan: BuildPlan) -> Iterator[Path]:
    """Yield the Dockerfile to send: a copy with marks, or the plan's own if there is nothing to mark in it."""
    text = _text(plan) if plan.marks else ""
    if not text:
        yield plan.dockerfile
        return
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        copy = Path(folder, plan.dockerfile.name)
        copy.write_bytes(text.encode())
        # BuildKit looks for it beside the Dockerfile, and in the context only if it is not there.
        with suppress(FileNotFoundError):
            name = f"{copy.name}.dockerignore"
            shutil.copyfile(plan.dockerfile.with_name(name), Path(folder, name))
        yield copy


def _text(plan: BuildPlan) -> str:
    """Return the text with marks; empty where there is no reading it."""
    from dockyard.dockerfile import parse  # noqa: PLC0415 - few builds have marks

    # What is wrong with a Dockerfile is told by the build.
    with suppress(DockyardError, OSError):
        content = plan.dockerfile.read_bytes()
        tree = parse(content, args=plan.args)
        return with_marks(content.decode(), tree, plan.marks)
    return ""


def with_marks(text: str, dockerfile: Dockerfile, marks: Mapping[str, str]) -> str:
    """Return a Dockerfile's text with a mark for each secret in each RUN that mounts it, on the same lines as before.

    Args:
        text: The Dockerfile.
        dockerfile: The same, read.
        marks: Secret id to mark, in hexadecimal digits.
    """
    lines = text.split("\n")
    for each in dockerfile.instructions:
        secrets = sorted({secret_of(mount) for mount in each.mounts if mount.type == "secret"} & marks.keys())
        word = RUN.match(lines[each.line - 1])
        if word and secrets:
            mounts = "".join(f"{MOUNT}{marks[name]}" for name in secrets)
            lines[each.line - 1] = f"{word[0]}{mounts}{lines[each.line - 1][word.end() :]}"
    return "\n".join(lines)


def unmarked(text: str) -> str:
    """Return a step's name, or lines of the Dockerfile, as its author wrote them."""
    return MOUNTED.sub("", text)
