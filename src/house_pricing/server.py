"""uvicorn, told to log in our form and to say that it is stopping before it stops."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING

import uvicorn

from house_pricing.app import create_app
from house_pricing.deadline import within
from house_pricing.logs import LEVELS, Bridge, Log, open_log
from house_pricing.settings import load

if TYPE_CHECKING:
    from socket import socket
    from types import FrameType

    from fastapi import FastAPI

    from house_pricing.settings import Settings

CANNOT_START = 3


class Server(uvicorn.Server):
    """Turns /ready to 503 at the first signal and closes the socket `drain` seconds later; SIGHUP reads keys again."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, log: Log, drain: float) -> None:
        super().__init__(config)
        self._loader = app.state.loader
        self._gate = app.state.gate
        self._log = log
        self._drain = drain

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, and from then on obey SIGHUP."""
        await super().startup(sockets)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._gate.reread, self._log)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by uvicorn at SIGTERM and SIGINT; a second signal does not wait."""
        first = self._loader.state != "stopping"
        self._loader.stop()
        if first and self._drain:
            loop = asyncio.get_running_loop()
            loop.call_soon_threadsafe(loop.call_later, self._drain, super().handle_exit, sig, frame)
        else:
            super().handle_exit(sig, frame)


def development_app() -> FastAPI:
    """The application as `uvicorn --reload --factory` makes it, anew after each edit; settings from the environment."""
    settings = load()
    return create_app(settings, open_log(settings))


def run(settings: Settings, log: Log, grace: int) -> int:
    """Serve until a signal; returns the exit code: 0 after a signal, 3 if the port cannot be had.

    Raises:
        SettingsError: The key file or a key cannot be used.
    """
    app = create_app(settings, log)
    root = logging.getLogger()
    root.handlers = [Bridge(log)]
    root.setLevel(LEVELS[settings.log_level])
    logging.captureWarnings(capture=True)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="asyncio",
        http=within(settings.request_seconds, log),
        ws="none",
        lifespan="on",
        root_path=settings.root_path,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=grace,
    )
    server = Server(config, app, log, settings.drain_seconds)
    try:
        server.run()
    except SystemExit as leaving:  # uvicorn's way to say that it could not start, and ours to obey a signal
        return CANNOT_START if leaving.code else 0
    return 0 if server.started else CANNOT_START
