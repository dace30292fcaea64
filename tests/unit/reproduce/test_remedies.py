"""What helps against a difference."""

from __future__ import annotations

import pytest

from dockyard.reproduce.difference import How, Seen
from dockyard.reproduce.remedies import remedy


@pytest.mark.parametrize("how", How)
def test_every_way(how):
    """Each way to differ has a remedy, a sentence."""
    assert remedy("", Seen(how=how)).endswith(".")


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/etc/shadow", "useradd"),
        ("/etc/passwd-", "useradd"),
        ("/var/lib/apt/lists/deb_dists_InRelease", "/var/lib/apt/lists"),
        ("/var/cache/apt/pkgcache.bin", "/var/cache/apt"),
        ("/var/log/dpkg.log", "/var/log/dpkg.log"),
        ("/var/cache/ldconfig/aux-cache", "ldconfig"),
        ("/etc/machine-id", "machine"),
        ("/etc/ssh/ssh_host_rsa_key", "container starts"),
        ("/app/.git/index", ".dockerignore"),
        ("/root/.cache/pip/http/a", "type=cache"),
        ("/x/__pycache__/a.cpython-312.pyc", "PYTHONDONTWRITEBYTECODE"),
        ("/opt/venv/lib/a.dist-info/direct_url.json", "folder"),
    ],
)
def test_known_causes(path, word):
    """Files that many builds stumble over have a remedy of their own, which their rights alone do not get."""
    assert word in remedy(path, Seen(how=How.CONTENT))
    assert "--chmod" in remedy(path, Seen(how=How.MODE))
