"""A path's kind."""

from __future__ import annotations

import pytest

from dockyard.size.filekind import filekind


@pytest.mark.parametrize(
    ("path", "mode", "kind"),
    [
        ("/usr/lib/libc.so.6", 0o755, "native libraries"),
        ("/v/numpy/_core.cpython-312-x86_64-linux-gnu.so", 0o755, "native libraries"),
        ("/v/numpy.libs/libopenblas-1.2.so.0.3", 0o644, "native libraries"),
        ("/app/__pycache__/a.cpython-312.pyc", 0o644, "bytecode"),
        ("/app/a.py", 0o755, "Python sources"),
        ("/v/numpy-2.dist-info/RECORD", 0o644, "Python sources"),
        ("/usr/share/doc/a/copyright", 0o644, "documentation"),
        ("/app/LICENSE", 0o644, "documentation"),
        ("/usr/share/zoneinfo/Europe/Paris", 0o644, "languages and time zones"),
        ("/var/lib/dpkg/info/a.list", 0o644, "package lists"),
        ("/app/model.onnx", 0o644, "models"),
        ("/app/a.tar.gz", 0o644, "archives"),
        ("/app/config.json", 0o644, "data"),
        ("/usr/include/a.h", 0o644, "headers and sources"),
        ("/usr/bin/perl", 0o755, "programs and scripts"),
        ("/app/entry.sh", 0o755, "programs and scripts"),
        ("/etc/passwd", 0o644, "other"),
        ("/a\nb.so", 0o644, "native libraries"),
    ],
)
def test_kind(path, mode, kind):
    """The name tells it; what may be executed and is nothing else is a program."""
    assert filekind(path, mode) == kind
