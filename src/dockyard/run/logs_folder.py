"""Makes the logs folder writable for the container's user, whoever owns it on the host.

The owner stays. The folder and the log files in it get the container's group, and the group may write; the set-group-id
bit hands the group on to new files. Where we may not do that ourselves, a container of the same image does: the engine
may, even for a user who is neither root nor UID 1000, and on engines that shift UIDs.
"""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

from dockyard.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    from dockyard.engines.buildx import Buildx

SCRIPT = """
import os, sys
folder, group = sys.argv[1], int(sys.argv[2])
files = [each.path for each in os.scandir(folder) if each.is_file(follow_symlinks=False)]
for path, bits in [(folder, 0o2070), *((file, 0o060) for file in files)]:
    os.chown(path, -1, group)
    os.chmod(path, os.stat(path).st_mode & 0o7777 | bits)
"""


def prepare(folder: Path, *, user: str, image: str, buildx: Buildx) -> bool:
    """Make the folder, and let the user write to it.

    Args:
        folder: On the host.
        user: UID and GID in digits, for instance `1000:1000`.
        image: An image with Python in it.
        buildx: Runs the container that changes the group.

    Returns:
        Whether anything had to be changed.

    Raises:
        EngineError: The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, str(error)) from error
    uid, gid = (int(part) for part in user.split(":"))
    # Docker Desktop maps owners by itself, and its hosts have none that mean anything in the container.
    if sys.platform != "linux" or all(writable(path, uid, gid) for path in (folder, *_files(folder))):
        return False
    try:
        buildx.run(
            image,
            ["-c", SCRIPT, str(folder), str(gid)],
            entrypoint="python",
            remove=True,
            user=f"0:{gid}",
            cap_drop=["ALL"],
            cap_add=["CHOWN", "FOWNER", "DAC_OVERRIDE"],
            security_options=["no-new-privileges"],
            networks=["none"],
            read_only=True,
            volumes=[(str(folder), str(folder), "rw")],
        )
    except EngineError as error:
        raise _unusable(folder, error.why) from None
    return True


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()]
    except PermissionError:
        return []


def writable(path: Path, uid: int, gid: int) -> bool:
    """Whether the mode lets a user write; of a folder, make files in it too."""
    told = path.stat()
    folder = stat.S_ISDIR(told.st_mode)
    wanted = 0o3 if folder else 0o2
    if told.st_uid == uid:
        return told.st_mode >> 6 & wanted == wanted
    if told.st_gid == gid:
        return told.st_mode >> 3 & wanted == wanted
    return told.st_mode & wanted == wanted


def _unusable(folder: Path, why: str) -> EngineError:
    return EngineError(
        f"The logs folder {folder} cannot be written by the container, so nothing was started.",
        why,
        "Mend that, or choose another folder: `logs` in [tool.dockyard.run], or DOCKYARD_RUN_LOGS.",
    )
