"""The Debian part of an assembled base: a small root file system as a layer, the same for every Python."""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dockyard.engines import process
from dockyard.errors import EngineError
from dockyard.machine import archive, packages, sources

if TYPE_CHECKING:
    from pathlib import Path

    from dockyard.machine.archive import Layer

SUITES = ("bookworm", "trixie")
# What the official slim image has beyond Debian's minimum: certificates, time zones and CPython's libraries.
PACKAGES = (
    "ca-certificates", "netbase", "tzdata", "usr-is-merged",
    "libbz2-1.0", "libdb5.3", "libexpat1", "libffi8", "libgdbm-compat4", "libgdbm6", "liblzma5", "libncursesw6",
    "libreadline8", "libsqlite3-0", "libssl3", "libuuid1", "zlib1g",
)  # fmt: skip
LEFT_OUT = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/bash-completion/*",
)
# Of this machine, of the moment, or made anew by whoever needs it.
NOT_COPIED = re.compile(
    r"(dev|proc|sys|run|tmp|var/cache/apt|var/lib/apt/lists|var/log|etc/apt/sources\.list\.d)/.+"
    r"|etc/(hostname|resolv\.conf|machine-id|apt/sources\.list)"
    r"|var/cache/(ldconfig/aux-cache|debconf/.*-old)|var/lib/dpkg/.*-old"
)
# Without the hook apt would choose the package that converts old systems, and Perl with it.
MERGED = "/usr/share/mmdebstrap/hooks/merged-usr"
NEWEST = "dockyard-newest"
WHEN = f"""find "$1/usr/bin" "$1/usr/lib" -type f -printf '%Ts\\n' | sort -n | tail -n 1 >"$1/{NEWEST}" """


@dataclass(frozen=True, kw_only=True)
class Debian:
    """A Debian layer; `created` is the time of its newest packaged file, RFC 3339."""

    suite: str
    layer: Layer
    created: str


def make(suite: str, work: Path, root: Path) -> Debian:
    """Make the layer in a working folder.

    Raises:
        EngineError: No Debian mirror is known here, or the packages cannot be had.
    """
    stanzas = sources.debian_stanzas(root, suite)
    if not stanzas:
        raise EngineError(
            f"Debian {suite} cannot be assembled here.",
            "This machine's package sources name no Debian mirror.",
            "Save the base image elsewhere (`docker save`) and name its folder in the settings.",
        )
    before = packages.privilege() or ()
    if not process.find("mmdebstrap"):
        apt = packages.Apt.of_this_machine(root)
        apt.update()
        apt.install("mmdebstrap")
    wanted, made = work / "debian.sources", work / "debian.tar"
    # It may hold the mirror's password.
    wanted.touch(mode=0o600)
    wanted.write_text(stanzas, encoding="utf-8")
    done = process.run([*before, *command(suite, wanted, made, work)], timeout=900)
    if not done.ok:
        told = [line for line in done.error.splitlines() if line.startswith("E: ")]
        raise EngineError(
            f"Debian {suite} could not be assembled.",
            told[0] if told else done.last_line,
            "Run `apt-get update` to see whether this machine's package mirror answers.",
        )
    return _layer(suite, made, work, stanzas)


def command(suite: str, wanted: Path, made: Path, work: Path) -> list[str]:
    """Return the call of mmdebstrap; its own temporary folder lies in ours, so that it goes with it."""
    proxy = process.run(["apt-config", "shell", "proxy", "Acquire::http::Proxy"]).output
    found = re.search(r"proxy='(.+)'", proxy)
    return [
        "env", f"SOURCE_DATE_EPOCH={archive.EPOCH}", f"TMPDIR={work}", *([f"http_proxy={found[1]}"] if found else []),
        "mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", f"--include={','.join(PACKAGES)}",
        f"--hook-dir={MERGED}", *(f"--dpkgopt={option}" for option in LEFT_OUT), f"--customize-hook={WHEN}",
        suite, str(made), str(wanted),
    ]  # fmt: skip


def _layer(suite: str, made: Path, work: Path, stanzas: str) -> Debian:
    """Copy mmdebstrap's tar into a layer, without what is of this machine."""
    newest = archive.EPOCH
    with archive.write_layer(work / "debian.layer", f"Debian {suite}, assembled by mmdebstrap") as (writer, blob):
        with tarfile.open(made, "r|") as tree:
            for entry in tree:
                entry.name = entry.name.removeprefix("./")
                if entry.islnk():
                    entry.linkname = entry.linkname.removeprefix("./")
                content = tree.extractfile(entry) if entry.isreg() else None
                if entry.name == NEWEST and content:
                    newest = int(content.read())
                elif entry.name not in {".", ""} and not NOT_COPIED.fullmatch(entry.name):
                    writer.copy(entry, content)
        writer.file("etc/apt/sources.list.d/debian.sources", sources.without_credentials(stanzas).encode())
    made.unlink()
    created = datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Debian(suite=suite, layer=blob.layer, created=created)
