"""A file of a volume changed while containers use it: whoever opens it reads the old one or the new one, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.engines.daemon import archive_of, guarded
from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.engines.daemon import Daemon

FOLDER = "/carried"
RENAME = """
import os, sys
old, new = sys.argv[1:]
with open(old, "rb") as stream:
    os.fsync(stream.fileno())
os.replace(old, new)
"""


def replace_file(
    daemon: Daemon, volume: str, *, image: str, name: str, content: bytes, group: int, labels: Mapping[str, str]
) -> None:
    """Replace a file that is readable by root and one group.

    The content goes there over the engine's socket, under another name, so that it is in no argument list. A container
    of its own then gives it its name: the engine itself can only remove the old file and write the new one.

    Args:
        daemon: The engine's socket.
        volume: Its name.
        image: An image with Python in it.
        name: Of the file, in the volume's own folder.
        content: What it is to hold.
        group: The GID that may read it.
        labels: Of the container that does it.

    Raises:
        EngineError: It could not be done; the old file is as it was.
    """
    half = f".{name}.next"
    what = f"The file {name} of the volume {volume} was to be replaced."
    with guarded(what):
        carrier = daemon.api.create_container(
            image,
            entrypoint=["python"],
            command=["-c", RENAME, f"{FOLDER}/{half}", f"{FOLDER}/{name}"],
            user=f"0:{group}",
            labels=dict(labels),
            volumes=[FOLDER],
            healthcheck={"test": ["NONE"]},
            host_config=daemon.api.create_host_config(
                binds=[f"{volume}:{FOLDER}"],
                network_mode="none",
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                read_only=True,
            ),
        )["Id"]
        try:
            daemon.api.put_archive(carrier, FOLDER, archive_of(half, content, group))
            daemon.api.start(carrier)
            code = daemon.api.wait(carrier)["StatusCode"]
            told = daemon.api.logs(carrier, tail=1).decode("utf-8", "replace").strip() if code else ""
        finally:
            daemon.api.remove_container(carrier, force=True, v=True)
    if code:
        raise EngineError(what, told or f"It ended with code {code}.", "Look at `docker events` and the engine's log.")
