"""`python -m house_pricing`: read the settings, serve until told to stop, exit 0.

Signal handlers come before the heavy imports: as process 1 of a container an unhandled SIGTERM is ignored.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

GRACE_SECONDS = 8  # under the ten seconds after which docker kills


def _leave(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a signal handler
    """End well: before the server runs, and when uvicorn raises the signal it obeyed a second time."""
    sys.exit(0)


def main() -> int:
    """Serve; returns the exit code: 0 after a stop, 2 for unusable settings, 3 if the port cannot be had."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the keys it reads again have been read
    from house_pricing import logs, server, settings  # noqa: PLC0415 - see above

    try:
        config = settings.load()
        log = logs.open_log(config)
        try:
            return server.run(config, log, GRACE_SECONDS)
        finally:
            log.close()
    except settings.SettingsError as error:
        for problem in error.problems:
            sys.stderr.write(f"house_pricing: {problem}\n")
        return 2


def finish(code: int) -> NoReturn:
    """End the process, at once where a thread still loads a model: onnxruntime would turn a usual end into an abort."""
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    finish(main())
