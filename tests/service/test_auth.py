"""Who is let in."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import pytest
from fastapi import Request

from house_pricing.auth import Gate, read_keys
from house_pricing.problems import ProblemError
from house_pricing.settings import Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import ReadableLog

OLD, NEW = "old-key", "new-key"
GOOD = "a-good-key-of-more-than-32-characters"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"{OLD}\n\n  {NEW}  \r\n")
    return path


def test_every_key_of_the_file_is_accepted(key_file: Path) -> None:
    """While keys rotate, the old and the new one both open; no other does."""
    keys = read_keys(Settings(api_key_file=str(key_file)))
    assert keys is not None
    assert [keys.accept(given) for given in (OLD, NEW, "other", "", None, f"{OLD}\n{NEW}")] == [
        True, True, False, False, False, False,
    ]  # fmt: skip


def test_rotated_key_no_longer_opens(key_file: Path) -> None:
    """A key that left the file is refused by the next start."""
    key_file.write_text(NEW)
    keys = read_keys(Settings(api_key_file=str(key_file)))
    assert keys is not None
    assert (keys.accept(NEW), keys.accept(OLD)) == (True, False)


def test_every_key_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key goes through compare_digest as a digest of one length, even after one fits."""
    keys = read_keys(Settings(api_key=f"{OLD}\n{NEW}"))
    assert keys is not None
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def watch(a: bytes, b: bytes) -> bool:
        compared.append((len(a), len(b)))
        return real(a, b)

    monkeypatch.setattr(hmac, "compare_digest", watch)
    assert keys.accept(OLD)
    assert compared == [(32, 32), (32, 32)]


def test_keys_are_not_kept() -> None:
    """Only digests stay in memory's reach."""
    assert OLD not in repr(read_keys(Settings(api_key=OLD)))


def test_auth_off_means_no_keys() -> None:
    """AUTH=off is the only way to have none."""
    assert read_keys(Settings(auth="off")) is None


@pytest.mark.parametrize(
    ("key", "env", "said"),
    [
        ("x" * 31, "production", "has 31 characters"),
        (f"{'x' * 32}\nshort", "production", "key 2 has 5 characters"),
        ("development-key-not-for-production", "production", "key 1 is a public one"),
        (f"{GOOD}\nMINE-NOT-FOR-PRODUCTION-0123456789", "production", "key 2 is a public one"),
        ("changeme" * 8, "production", "key 1 has 7 different characters; API_ENV=production asks for 8"),
        ("x" * 64, "production", "has 1 different characters"),
        ("with space", "development", "cannot carry"),
        ("clé", "development", "cannot carry"),
        (" \n ", "development", "holds no key"),
    ],
)
def test_unusable_key_is_refused(key: str, env: str, said: str) -> None:
    """A key that production must not have, or that no header carries, stops the start without being shown."""
    with pytest.raises(SettingsError, match=said) as caught:
        read_keys(Settings(api_key=key, api_env=env))
    assert not any(line in str(caught.value) for line in key.splitlines() if line.strip())


@pytest.mark.parametrize(
    ("key", "env"),
    [("abcdefgh" * 4, "production"), ("x", "development"), ("development-key-not-for-production", "development")],
)
def test_good_key_is_accepted(key: str, env: str) -> None:
    """32 characters, 8 of them different, are enough for production; development takes any."""
    keys = read_keys(Settings(api_key=key, api_env=env))
    assert keys is not None
    assert keys.accept(key)


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"", "holds no key"), (b"\xff", "is not text")])
def test_unusable_key_file_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    """A key file that is absent, empty or not text stops the start."""
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=f"API_KEY_FILE: .*{said}"):
        read_keys(Settings(api_key_file=str(path)))


def test_keys_are_read_again(key_file: Path, log: ReadableLog) -> None:
    """The keys that the file holds now open, the others no longer do."""
    gate = Gate(Settings(api_key_file=str(key_file)))
    key_file.write_text("newest-key")
    gate.reread(log)
    assert [opens(gate, key) for key in (OLD, NEW, "newest-key")] == [False, False, True]
    assert log.lines()[0]["event"] == "keys_read"
    assert "newest-key" not in log.text()


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"with space"])
def test_bad_new_file_keeps_the_old_keys(key_file: Path, log: ReadableLog, content: bytes | None) -> None:
    """Nobody is locked out by a mistake in the new file; the log says what is wrong with it."""
    gate = Gate(Settings(api_key_file=str(key_file)))
    key_file.unlink() if content is None else key_file.write_bytes(content)
    gate.reread(log)
    assert [opens(gate, key) for key in (OLD, NEW, "with space")] == [True, True, False]
    (line,) = log.lines()
    assert (line["event"], line["level"]) == ("keys_kept", "error")
    assert line["message"].startswith("API_KEY_FILE: ")


@pytest.mark.parametrize("bad", ["development-key-not-for-production", "changeme" * 8, "short"])
def test_key_that_production_refuses_is_refused_again_later(tmp_path: Path, log: ReadableLog, bad: str) -> None:
    """A new file is held to what the first one was: the old keys stay, and the log says why without the key."""
    path = tmp_path / "keys"
    path.write_text(GOOD)
    gate = Gate(Settings(api_key_file=str(path), api_env="production"))
    path.write_text(f"{GOOD}\n{bad}")
    gate.reread(log)
    assert [opens(gate, key) for key in (GOOD, bad)] == [True, False]
    (line,) = log.lines("keys_kept")
    assert line["message"].startswith("API_KEY_FILE: key 2 ")
    assert bad not in log.text()


@pytest.mark.parametrize("settings", [Settings(api_key=OLD), Settings(auth="off")])
def test_nothing_to_read_again_is_said(settings: Settings, log: ReadableLog) -> None:
    """Without a file the signal changes nothing, and says so."""
    gate = Gate(settings)
    gate.reread(log)
    assert opens(gate, OLD)
    assert log.lines()[0]["event"] == "keys_kept"


def opens(gate: Gate, key: str) -> bool:
    """Whether a request with the key is let in."""
    request = Request({"type": "http", "headers": [(b"x-api-key", key.encode())], "client": ("127.0.0.1", 1)})
    try:
        gate.admit(request)
    except ProblemError:
        return False
    return True
