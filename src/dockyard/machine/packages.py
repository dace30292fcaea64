"""Debian packages: installed from the machine's own sources, and only where nothing else moves."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.engines import process
from dockyard.engines.buildx import INSTALL_PAGE
from dockyard.errors import EngineError
from dockyard.machine import sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# The first engine whose builder is BuildKit by default, and the buildx that dockyard needs.
OLDEST_ENGINE = (23, 0)
OLDEST_BUILDX = (0, 13)
ENGINE, BUILDX, CLIENT = "docker.io", "docker-buildx", "docker-cli"
IN_ENGLISH = ("env", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
PINNED = 100


def privilege() -> tuple[str, ...] | None:
    """Return what to put before a command that needs root: nothing, sudo, or None if neither can be had."""
    if os.geteuid() == 0:
        return ()
    return ("sudo", "-n") if process.run(["sudo", "-n", "true"]).ok else None


def version(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a Debian version, for instance (26, 1, 5) of `26.1.5+dfsg1-9`."""
    leading = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in leading[1].split(".")) if leading else ()


@dataclass(frozen=True, kw_only=True)
class Apt:
    """apt, as root or through sudo.

    Attributes:
        before: What comes before a command that needs root.
        root: Where files are read and written.
    """

    before: tuple[str, ...]
    root: Path = Path("/")

    @classmethod
    def of_this_machine(cls, root: Path = Path("/")) -> Apt:
        """Return the apt of this machine.

        Raises:
            EngineError: It is no Debian or Ubuntu, or we may not install.
        """
        release = sources.read_os_release(root)
        family = {release.get("ID"), *release.get("ID_LIKE", "").split()}
        if not family & {"debian", "ubuntu"}:
            raise EngineError(
                "Packages can be installed here by hand only.",
                f"This is {release.get('PRETTY_NAME') or 'no Linux with apt'}; setup installs on Debian and Ubuntu.",
                f"Read {INSTALL_PAGE}.",
            )
        before = privilege()
        if before is None:
            raise EngineError(
                "Packages cannot be installed by this user.",
                "It is not root, and `sudo -n` asks for a password or is not there.",
                f"Run `sudo -v && invoke setup`, or read {INSTALL_PAGE}.",
            )
        return cls(before=before, root=root)

    def run(self, *command: str, timeout: float = 60, finish: bool = False) -> process.Completed:
        """Run a command as root, in English."""
        return process.run([*self.before, *IN_ENGLISH, *command], timeout=timeout, finish=finish)

    def write(self, path: str, text: str) -> None:
        """Write a file of root's, relative to the root folder."""
        target = self.root / path
        with tempfile.NamedTemporaryFile("w", suffix=target.name) as draft:
            draft.write(text)
            draft.flush()
            done = self.run("install", "-D", "-m", "0644", draft.name, str(target))
        if not done.ok:
            raise EngineError(f"{target} cannot be written.", done.last_line, "Look at that folder's rights.")

    def remove(self, *paths: str) -> None:
        """Remove files of root's, relative to the root folder."""
        self.run("rm", "-f", *(str(self.root / path) for path in paths))

    def update(self) -> None:
        """Fetch the lists of packages; one source that does not answer does not matter if the package is found."""
        self.run("apt-get", "update", "-qq", timeout=300)

    def candidates(self, names: Iterable[str]) -> dict[str, tuple[int, ...]]:
        """Return the version of each package that apt would install; those unknown are left out."""
        told = self.run("apt-cache", "policy", *names).output
        pairs = re.findall(r"^(\S+):\n(?:.*\n)*?  Candidate: (.+)$", told, flags=re.MULTILINE)
        return {name: version(candidate) for name, candidate in pairs if candidate != "(none)"}

    def install(self, *names: str) -> None:
        """Install packages.

        Raises:
            EngineError: They cannot be had, or a package that is there would be upgraded or removed.
        """
        wanted = ("install", "--no-install-recommends", *names)
        what = f"{' '.join(names)} cannot be installed."
        tried = self.run("apt-get", "-s", *wanted, timeout=120)
        if not tried.ok:
            raise EngineError(what, tried.last_line, f"Try `apt-get update`, or read {INSTALL_PAGE}.")
        moved = re.findall(r"^(?:Remv (\S+)|Inst (\S+) \[)", tried.output, flags=re.MULTILINE)
        if moved:
            listed = ", ".join(sorted(removed or upgraded for removed, upgraded in moved))
            raise EngineError(
                what,
                f"It would upgrade or remove what is on this machine: {listed}.",
                f"Upgrade this machine yourself, or read {INSTALL_PAGE}.",
            )
        done = self.run(
            "apt-get", "-y", "-qq", "-o", "Dpkg::Options::=--force-confold", "-o", "DPkg::Lock::Timeout=120", *wanted,
            timeout=900, finish=True,
        )  # fmt: skip
        if not done.ok:
            raise EngineError(what, done.last_line, "Run `apt-get -f install` to see what apt says.")


def install_engine(apt: Apt, announce: Callable[[str], None]) -> str:
    """Install the engine and buildx; return in words where they came from.

    Raises:
        EngineError: They cannot be had from this machine's sources without moving other packages.
    """
    apt.update()
    names = [ENGINE, BUILDX] if process.find("docker") else [ENGINE, BUILDX, CLIENT]
    known = apt.candidates(names)
    if known.get(ENGINE, ()) >= OLDEST_ENGINE and known.get(BUILDX, ()) >= OLDEST_BUILDX:
        # Where docker.io brings its own client there is no package of that name.
        chosen = [name for name in names if name in known]
        announce(f"Installing {' and '.join(chosen)} from this machine's package sources.")
        apt.install(*chosen)
        return "from this machine's package sources"
    suite = add_next_suite(apt)
    announce(f"Installing {' and '.join(names)} from Debian {suite}; no other package moves.")
    try:
        apt.install(*(f"{name}/{suite}" for name in names))
    except BaseException:
        apt.remove(*_files(suite))
        raise
    return f"from Debian {suite}"


def _files(suite: str) -> tuple[str, str]:
    """Return the files that make a suite known and keep it from moving anything."""
    return f"etc/apt/sources.list.d/dockyard-{suite}.sources", f"etc/apt/preferences.d/dockyard-{suite}"


def add_next_suite(apt: Apt) -> str:
    """Make the next Debian suite known to apt, at a priority at which nothing is taken from it unasked; return it."""
    own = sources.read_os_release(apt.root).get("VERSION_CODENAME", "")
    suite = sources.following(own)
    known = sources.read_sources(apt.root)
    here = sources.archive(known, own)
    if not suite or not here:
        raise EngineError(
            "This machine's package sources have no Docker engine that is new enough.",
            f"docker.io {'.'.join(map(str, OLDEST_ENGINE))} and docker-buildx {'.'.join(map(str, OLDEST_BUILDX))} "
            f"are needed, and no later Debian suite is known for {own or 'it'}.",
            f"Read {INSTALL_PAGE}.",
        )
    source_file, preferences = _files(suite)
    if not any(suite in source.suites for source in known) or (apt.root / source_file).exists():
        # The preferences come first: a moment with the suite and without the pin would be one too many.
        apt.write(preferences, f"Package: *\nPin: release n={suite}\nPin-Priority: {PINNED}\n")
        apt.write(source_file, replace(here, suites=(suite,)).stanza())
        apt.update()
    return suite
