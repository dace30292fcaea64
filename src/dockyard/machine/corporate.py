"""What builds need on a corporate network: the CA bundle, package index and proxy that this machine is set up with."""

from __future__ import annotations

import configparser
import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dockyard.machine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockyard.machine.findings import Wanted

CA_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
REDACTED = "[REDACTED]"  # what stands, wherever it is, for what must not be seen
INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
NO_PROXY_VARIABLES = ("NO_PROXY", "no_proxy")
LOOPBACK = ("localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Network:
    """What a build gets as secret mounts, and where each came from.

    Attributes:
        ca_bundle: A file of CA certificates; None where the base's own do.
        index_url: The package index, maybe with a password; None where the public one does.
        proxy: The forward proxy, maybe with a password; None where none is needed.
        no_proxy: Hosts that are reached without it, by commas.
        problems: What is set and cannot be used, a sentence each.
        remarks: What is set for this machine alone, a sentence each.
    """

    ca_bundle: Path | None
    ca_origin: str
    index_url: str | None = field(repr=False)
    index_origin: str
    proxy: str | None = field(default=None, repr=False)
    proxy_origin: str = ""
    no_proxy: str = ""
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def written(self) -> dict[str, str]:
        """The secrets that are no file of this machine: id to value."""
        offered = {
            "index_url": self.index_url,
            "proxy": self.proxy,
            "no_proxy": self.no_proxy if self.proxy else "",
        }
        return {name: value for name, value in offered.items() if value}


def network(wanted: Wanted, environment: Mapping[str, str], pip: Mapping[str, str]) -> Network:
    """Return what builds need: of the settings, else of the environment, else of pip's configuration."""
    bundles = {"the settings": str(wanted.ca_bundle or ""), **_named(environment, CA_VARIABLES)}
    indexes = {"the settings": wanted.index_url or "", **_named(environment, INDEX_VARIABLES)}
    problems: list[str] = []
    ca_origin, bundle = _first({**bundles, "pip's configuration": pip.get("cert", "")}, _no_file, problems)
    index_origin, index = _first({**indexes, "pip's configuration": pip.get("index-url", "")}, _no_address, problems)
    proxies = {"the settings": wanted.proxy or "", **_named(environment, PROXY_VARIABLES)}
    proxies = {
        name: _schemed(value) for name, value in {**proxies, "pip's configuration": pip.get("proxy", "")}.items()
    }
    # A proxy on loopback serves this machine well and no build: that is no mistake of anybody.
    own = {name: value for name, value in proxies.items() if name != "the settings" and _loopback(value)}
    offered = {name: value for name, value in proxies.items() if name not in own}
    proxy_origin, proxy = _first(offered, _no_address, problems)
    excepted = [wanted.no_proxy, *_named(environment, NO_PROXY_VARIABLES).values()]
    return Network(
        ca_bundle=Path(bundle) if bundle else None,
        ca_origin=ca_origin,
        index_url=index or None,
        index_origin=index_origin,
        proxy=proxy or None,
        proxy_origin=proxy_origin,
        no_proxy=next(filter(None, excepted), ""),
        problems=tuple(problems),
        remarks=tuple(f"{name} names {redacted(value)}, which a build cannot reach." for name, value in own.items()),
    )


def _named(environment: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: environment.get(name, "") for name in names}


def _first(offers: Mapping[str, str], wrong: Callable[[str], str], problems: list[str]) -> tuple[str, str]:
    """Return the first offer that a build can use and where it comes from; note those that it cannot use."""
    for origin, value in offers.items():
        if value and (problem := wrong(value)):
            problems.append(f"{origin} names {redacted(value)}, {problem}.")
        elif value:
            return origin, value
    return "", ""


def _no_file(value: str) -> str:
    return "" if Path(value).is_file() else "which is not a file here"


def _no_address(value: str) -> str:
    return "" if value.startswith(("http://", "https://")) else "which a build cannot reach"


def _schemed(proxy: str) -> str:
    """Return a proxy's address with its scheme, which many leave out."""
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return host in LOOPBACK or host.startswith("127.")


def pip_configuration(root: Path, home: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return pip's own settings by their short names, read as pip reads them: a later file wins.

    The files are read here because asking pip costs half a second on every build.
    """
    folders = [root / "etc/xdg/pip", root / "etc", home / ".pip", home / ".config/pip", Path(sys.prefix)]
    files = [*(folder / "pip.conf" for folder in folders), Path(environment.get("PIP_CONFIG_FILE") or os.devnull)]
    reader = configparser.RawConfigParser(strict=False)
    with suppress(configparser.Error, UnicodeDecodeError):
        reader.read(files, encoding="utf-8")
    return {
        name: value
        for section in ("global", "install")
        if reader.has_section(section)
        for name, value in reader.items(section)
    }


def redacted(url: str) -> str:
    """Return an address without its user name and password."""
    return re.sub(r"://[^/@\s]+@", f"://{REDACTED}@", url)


def findings(seen: Network) -> tuple[Finding, ...]:
    """Return the lines of the table."""
    ca = f"{seen.ca_bundle} (from {seen.ca_origin})" if seen.ca_bundle else "none is set"
    index = f"{redacted(seen.index_url)} (from {seen.index_origin})" if seen.index_url else "none is set"
    proxy = f"{redacted(seen.proxy)} (from {seen.proxy_origin})" if seen.proxy else "none is set"
    if seen.remarks:
        proxy = f"{proxy}; {' '.join(seen.remarks)}"
    problems = tuple(
        Finding(subject="network", state="refused", detail=problem, todo="Correct it, or unset it.")
        for problem in seen.problems
    )
    return (
        Finding(subject="CA bundle", state="found", detail=ca),
        Finding(subject="package index", state="found", detail=index),
        Finding(subject="proxy", state="found", detail=proxy),
        *problems,
    )
