"""The project names no package registry: it installs from whatever index and mirror a machine is told to use."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]

# Put together here, so that this file does not hold them either.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("files", "pythonhosted", "org"),
        ("deb", "debian", "org"),
        ("ftp", "debian", "org"),
        ("security", "debian", "org"),
        ("snapshot", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("security", "ubuntu", "com"),
        ("ports", "ubuntu", "com"),
        ("download", "docker", "com"),
        ("registry-1", "docker", "io"),
        ("index", "docker", "io"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("conda", "anaconda", "org"),
        ("proxy", "golang", "org"),
    )
]
# A machine that has its own index names it in one of these.
VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "npm_config_registry")


def files() -> list[Path]:
    """The files of the project: those git tracks, and new ones that it does not ignore."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def test_no_registry_is_named():
    """No file holds the host name of a package registry, a distribution's archive, or this machine's own index."""
    own = [urlsplit(word).hostname for name in VARIABLES for word in os.environ.get(name, "").split()]
    hosts = [host.encode() for host in (*HOSTS, *own) if host and host not in ("localhost", "127.0.0.1", "::1")]
    searched = files()
    assert ROOT / "requirements" / "service.txt" in searched
    found = {
        f"{path.relative_to(ROOT)}: {host.decode()}" for path in searched for host in hosts if host in path.read_bytes()
    }
    assert found == set()


def test_no_path_of_this_machine():
    """No file holds the path at which the project lies here, or that of the user's home."""
    own = [str(place).encode() for place in (ROOT, Path.home()) if len(place.parts) > 2]
    found = {f"{path.relative_to(ROOT)}" for path in files() for place in own if place in path.read_bytes()}
    assert found == set()
