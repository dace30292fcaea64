"""A base image from Debian packages and a CPython of this machine, named and labelled as what it is."""

from __future__ import annotations

import platform
import re
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.engines.buildx import Buildx
from dockyard.errors import EngineError
from dockyard.machine import archive, cpython, debian, names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.machine.debian import Debian
    from dockyard.machine.interpreters import Interpreter

PATH = "/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a service counts on and a badly copied CPython lacks; run as the user of a service, without a network.
PROOF = (
    "import bz2, ctypes, decimal, hashlib, lzma, pip, readline, sqlite3, ssl, uuid, venv, zlib, os, platform; "
    "ssl.create_default_context(); sqlite3.connect(':memory:'); assert os.getuid() == 1000; "
    "print(platform.python_version())"
)


def suite_of(wanted: str) -> str:
    """Return the Debian suite of a base's name.

    Raises:
        EngineError: It is no Python on a Debian that we can assemble.
    """
    named = re.fullmatch(r"(?:.*/)?python:[\d.]+(?:-slim)?-([a-z]+)(?:@.*)?", wanted)
    if not named or named[1] not in debian.SUITES or platform.machine() not in names.ARCHITECTURES:
        raise EngineError(
            f"{wanted} cannot be assembled here.",
            f"Only python:X.Y-slim-SUITE can, on {' or '.join(debian.SUITES)}, for {' or '.join(names.ARCHITECTURES)}.",
            "Load the image from a tar: name the folder in the settings.",
        )
    return named[1]


@contextmanager
def workshop(suite: str, root: Path) -> Iterator[tuple[Debian, Path]]:
    """Make the Debian part, and remove all that was made for it afterwards, on every path."""
    with tempfile.TemporaryDirectory(prefix="dockyard-", ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        # apt fetches as another user.
        work.chmod(0o755)
        yield debian.make(suite, work, root), work


def assemble(interpreter: Interpreter, wanted: str, system: Debian, work: Path) -> str:
    """Put a CPython on the Debian part, prove the image by running it, and only then give it its name; return that.

    Raises:
        EngineError: The image does not work; it is gone again.
    """
    reference = names.reference_of(wanted)
    place = Path(tempfile.mkdtemp(dir=work))
    history = f"CPython {interpreter.version} of this machine ({interpreter.kind})"
    with archive.write_layer(place / "python.layer", history) as (writer, blob):
        cpython.write(interpreter, writer, place)
    trial = f"{reference}-unproved"
    archive.write_image(
        place / "image.tar",
        trial,
        [system.layer, blob.layer],
        config(interpreter, system),
        architecture=names.ARCHITECTURES[platform.machine()],
        created=system.created,
    )
    docker = Buildx()
    try:
        docker.load(place / "image.tar")
        prove(docker, trial, interpreter)
        docker.tag(trial, reference)
    finally:
        with suppress(EngineError):
            docker.remove_image(trial)
    return reference


def config(interpreter: Interpreter, system: Debian) -> dict[str, Any]:
    """Return the image's configuration: the official image's, and labels that say what it is."""
    title = f"Python {interpreter.version} on Debian {system.suite}, assembled by dockyard"
    return {
        "Env": [f"PATH={PATH}", "LANG=C.UTF-8", f"PYTHON_VERSION={interpreter.version}"],
        "Cmd": ["python3"],
        "Labels": {
            names.LABEL: "assembled",
            f"{names.LABEL}.debian": system.suite,
            f"{names.LABEL}.python": interpreter.version,
            f"{names.LABEL}.source": f"Debian packages; CPython of the machine ({interpreter.kind})",
            "org.opencontainers.image.title": title,
            "org.opencontainers.image.description": "Not the official Python image.",
            "org.opencontainers.image.created": system.created,
        },
    }


def prove(docker: Buildx, reference: str, interpreter: Interpreter) -> None:
    """Run an image's Python as UID 1000 without a network.

    Raises:
        EngineError: It fails, for instance because this machine's CPython wants a newer libc.
    """
    try:
        told = docker.run(reference, ["python", "-c", PROOF], user="1000:1000", networks=["none"], remove=True)
    except EngineError as error:
        raise EngineError(
            f"CPython {interpreter.version} of this machine does not run on that Debian.",
            error.why,
            "Load the base from a tar, or install that Python with pyenv on a machine of that Debian.",
        ) from None
    if told.strip() != interpreter.version:
        raise EngineError(
            f"CPython {interpreter.version} was copied, and another answers.",
            f"It says {told.strip() or 'nothing'}.",
            "Report this: it is a bug.",
        )
