from __future__ import annotations

import pytest

from dockyard.build.output import plain, secrets_in
from support import SECRET


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("café", "café"),
        ("  in  \t", "  in"),
        ("\x1b[32mgreen\x1b[0m", "green"),
        ("\x9b1mbold", "bold"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never ended", ""),
        ("\x1b(Ba\x1bMb\x1b", "ab"),
        ("bar 10%\rbar 50%\rbar 100%\r", "bar 100%"),
        ("50%\r\x1b[2K\r", "50%"),
        ("a\x00b\x07c\x08d\u202ee", "abcde"),
        ("a\tb", "a       b"),
        ("\r\n", ""),
        ("from https://user:pass@host/simple", "from https://[REDACTED]@host/simple"),
        (
            'Put "https://host/b?se=1&sig=a%2Bb%3D&sp=w": denied',
            'Put "https://host/b?se=1&sig=[REDACTED]&sp=w": denied',
        ),
        (
            "https://b.s3/x?X-Amz-Credential=a/b&X-Amz-Signature=0f 403",
            "https://b.s3/x?X-Amz-Credential=[REDACTED]&X-Amz-Signature=[REDACTED] 403",
        ),
    ],
)
def test_plain(line, seen):
    """A line holds what a person would see of it in the end, and nothing that moves a cursor."""
    assert plain(line) == seen


def test_secrets(tmp_path):
    """What is in the files of secrets is never seen; certificates, and hosts without the proxy, are no secrets."""
    (tmp_path / "index_url").write_text(f"https://host/{SECRET}\n")
    (tmp_path / "two").write_text("a\nlonger-one\nlonger-one-still\n")
    (tmp_path / "ca").write_text("certificate\n" * 1000)
    (tmp_path / "no_proxy").write_text("localhost")
    hidden = secrets_in([tmp_path / name for name in ("index_url", "two", "ca", "none", "no_proxy")])

    assert plain(f"get https://host/{SECRET} as a", hidden) == "get [REDACTED] as a"
    assert plain("longer-one-still", hidden) == "[REDACTED]"
    assert plain("a certificate at localhost", hidden) == "a certificate at localhost"
