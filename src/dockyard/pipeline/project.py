"""One project on one engine, and what the machine must have for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dockyard import machine, plan
from dockyard.engines import Engine
from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.report.console import Console
from dockyard.settings import Loaded, Settings, load
from dockyard.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Project:
    """One project on one engine: what every command needs."""

    loaded: Loaded
    engine: Engine
    console: Console

    @property
    def settings(self) -> Settings:
        """The project's settings."""
        return self.loaded.settings

    @cached_property
    def state(self) -> State:
        """The project's records."""
        return State(self.settings.state, warn=lambda text: self.console.note(text, style="yellow"))

    def announce(self, phase: str) -> None:
        """Say what a command is at."""
        self.console.note(f"… {phase}")

    @property
    def label(self) -> str:
        """The label on everything this project makes, as `key=value`."""
        return f"{plan.PROJECT}={self.settings.image}"

    @property
    def wanted(self) -> machine.Wanted:
        """What the machine must have for the Pythons that are asked for."""
        return wanted(self.settings, (self.settings.python,))


def open_project(arguments: Mapping[str, Any] | None = None, *, quiet: bool = False) -> Project:
    """Read the settings and open the engine's doors; nothing is asked of it yet."""
    return Project(load(arguments), Engine(Buildx(), Daemon()), Console(quiet=quiet))


def wanted(settings: Settings, pythons: tuple[str, ...]) -> machine.Wanted:
    """Return what the machine must have to build for some Pythons."""
    network, pin = settings.network, settings.pin
    return machine.Wanted(
        pythons=pythons,
        base=settings.build.pattern,
        mirror=network.mirror or None,
        archives=settings.root / network.archives if network.archives else None,
        state=settings.state,
        ca_bundle=settings.root / network.ca_bundle if network.ca_bundle else None,
        index_url=network.index_url.get_secret_value() if network.index_url else None,
        pinning=machine.Pinning(file=settings.root / pin.file, max_age=pin.max_age, required=pin.require),
        proxy=network.proxy.get_secret_value() if network.proxy else None,
        no_proxy=network.no_proxy,
    )
