"""The machine's own package sources, read from /etc/apt in both of its forms. No mirror is known otherwise."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# In order of release: the next suite is looked up here.
DEBIAN = ("bullseye", "bookworm", "trixie", "forky")
ARCHIVE_KEYRING = "debian-archive-keyring"


@dataclass(frozen=True, kw_only=True)
class Source:
    """One entry of the package sources.

    Attributes:
        signed_by: Path of a keyring, fingerprints, or a whole key block of several lines; empty if not said.
        trusted: The entry is used without a signature.
    """

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""
    trusted: bool = False

    def stanza(self) -> str:
        """Return the entry in deb822 form, main component only."""
        lines = [
            "Types: deb",
            f"URIs: {' '.join(self.uris)}",
            f"Suites: {' '.join(self.suites)}",
            "Components: main",
        ]
        if self.signed_by:
            lines.append("Signed-By: " + self.signed_by.replace("\n", "\n "))
        if self.trusted:
            lines.append("Trusted: yes")
        return "\n".join(lines) + "\n"


def read_os_release(root: Path) -> dict[str, str]:
    """Return /etc/os-release; empty where there is none, as on macOS."""
    try:
        text = (root / "etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): "".join(shlex.split(value)) for key, _, value in pairs}


def read_sources(root: Path) -> tuple[Source, ...]:
    """Return the enabled binary sources of a machine, in apt's own order of files."""
    folder = root / "etc/apt"
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    found: list[Source] = []
    for file in files:
        readers = {".list": _one_line, ".sources": _deb822}
        if file.is_file() and file.suffix in readers:
            found += readers[file.suffix](file.read_text(encoding="utf-8", errors="replace"))
    return tuple(found)


def _one_line(text: str) -> Iterator[Source]:
    """Read `deb [option=value …] URI SUITE COMPONENT…` lines."""
    for line in text.splitlines():
        entry = re.match(r"\s*deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<rest>[^#]+)", line)
        words = entry["rest"].split() if entry else []
        if not entry or len(words) < 3:  # noqa: PLR2004 - a flat repository has no components
            continue
        options = dict(pair.split("=", 1) for pair in (entry["options"] or "").split() if "=" in pair)
        yield Source(
            uris=(words[0],),
            suites=(words[1],),
            components=tuple(words[2:]),
            signed_by=options.get("signed-by", ""),
            trusted=options.get("trusted") == "yes",
        )


def _deb822(text: str) -> Iterator[Source]:
    """Read stanzas of `Key: value` lines; a value goes on in indented lines, and a lone dot is an empty line."""
    uncommented = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for block in re.split(r"\n\s*\n", uncommented):
        fields = {
            key.lower(): value.strip()
            for key, value in re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", block, flags=re.MULTILINE)
        }
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        yield Source(
            uris=tuple(fields.get("uris", "").split()),
            suites=tuple(fields.get("suites", "").split()),
            components=tuple(fields.get("components", "").split()),
            signed_by="\n".join(line.strip() for line in fields.get("signed-by", "").splitlines()),
            trusted=fields.get("trusted", "").lower() == "yes",
        )


def archive(sources: tuple[Source, ...], codename: str, *, pocket: str = "") -> Source | None:
    """Return the machine's entry of its distribution's archive, or None.

    Others publish `CODENAME main` too. Theirs lack the distribution's keyring and the `-updates` suite beside it.

    Args:
        sources: As read.
        codename: The machine's suite.
        pocket: For instance `-security`.
    """
    updates = {uri for source in sources if f"{codename}-updates" in source.suites for uri in source.uris}
    fitting = [
        source
        for source in sources
        if codename + pocket in source.suites and "main" in source.components and _remote(source)
    ]

    def rank(source: Source) -> tuple[bool, bool]:
        return ARCHIVE_KEYRING in source.signed_by, bool(updates & set(source.uris))

    return max(fitting, key=rank, default=None)


def _remote(source: Source) -> bool:
    """Whether an entry is reached over the network, so that it has other suites as well."""
    return all(urlsplit(uri).scheme not in {"file", "copy", "cdrom"} for uri in source.uris)


def following(codename: str) -> str | None:
    """Return the suite after a Debian suite, or None."""
    return dict(pairwise(DEBIAN)).get(codename)


def debian_stanzas(root: Path, suite: str) -> str | None:
    """Return the sources of a Debian suite from this machine's mirror, with updates and security where it has them."""
    release: Mapping[str, str] = read_os_release(root)
    own = release.get("VERSION_CODENAME", "")
    if release.get("ID") != "debian" or own not in DEBIAN:
        return None
    sources = read_sources(root)
    found = {pocket: archive(sources, own, pocket=pocket) for pocket in ("", "-updates", "-security")}
    if not found[""]:
        return None
    return "\n".join(replace(source, suites=(suite + pocket,)).stanza() for pocket, source in found.items() if source)


def without_credentials(stanzas: str) -> str:
    """Return sources without the user names and passwords in their addresses."""
    return re.sub(r"(://)[^/@\s]+@", r"\1", stanzas)
