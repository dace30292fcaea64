from __future__ import annotations

import pytest

from dockyard.errors import SettingsError
from dockyard.settings import key
from support import SECRET, chain, sentences

OTHER = "other-key-other-key-other-key-other-key"


@pytest.fixture
def env_file(tmp_path):
    """Write a file of NAME=value lines."""

    def write(content: str | bytes):
        path = tmp_path / ".env"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def find(**given):
    """Look for a key where only what is given is there."""
    nothing = {"env_file": None, "environment": {}, "stored": None, "ask": None, "length": 32}
    return key.find(**{**nothing, **given})


def refused(**given) -> tuple[str, str, str]:
    """Return the three lines of the error, which must not hold the key."""
    with pytest.raises(SettingsError) as caught:
        find(**given)
    assert SECRET not in chain(caught.value)
    return sentences(caught.value)


def test_from_file(env_file):
    """A file that is given is asked first."""
    path = env_file(f"OTHER=1\nAPI_KEY={SECRET}\n")
    found = find(env_file=path, environment={"API_KEY": OTHER}, stored=OTHER, ask=lambda: OTHER)

    assert found.value.get_secret_value() == SECRET
    assert found.origin == str(path)


def test_from_environment(tmp_path):
    """Without a file the environment is asked, before the file that it may name."""
    named = tmp_path / "key"
    found = find(environment={"API_KEY": SECRET, "API_KEY_FILE": str(named)}, stored=OTHER, ask=lambda: OTHER)

    assert found.value.get_secret_value() == SECRET
    assert found.origin == "the environment variable API_KEY"


def test_from_named_file(tmp_path):
    """API_KEY_FILE names a file that holds the key and nothing else."""
    named = tmp_path / "key"
    named.write_text(f"{SECRET}\n")
    found = find(environment={"API_KEY_FILE": str(named)}, stored=OTHER, ask=lambda: OTHER)

    assert found.value.get_secret_value() == SECRET
    assert found.origin == f"{named} (API_KEY_FILE)"


def test_stored():
    """The key that was kept is taken before anyone is asked."""
    found = find(stored=f"{SECRET}\n", ask=lambda: OTHER)

    assert found.value.get_secret_value() == SECRET
    assert found.origin == "the key that `invoke up` made"


def test_asked():
    """A person is asked last."""
    found = find(ask=lambda: SECRET)

    assert found.value.get_secret_value() == SECRET
    assert found.origin == "the keyboard"


def test_none():
    """Without any key the error says every way to give one."""
    what, why, todo = refused()

    assert what == "There is no API key, so nothing was started."
    assert why == "API_KEY is not set."
    for way in ("API_KEY", "--env-file", "invoke up"):
        assert way in todo


@pytest.mark.parametrize(
    "line",
    [
        f"API_KEY={SECRET}",
        f"  API_KEY = {SECRET}  ",
        f'API_KEY="{SECRET}"',
        f"API_KEY='{SECRET}'",
        f"export API_KEY={SECRET}",
        f"export  API_KEY='{SECRET}'",
        f"# API_KEY=comment\nAPI_KEY_OLD=other\nAPI_KEYS=other\nAPI_KEY={SECRET}\r\n",
        f"\nNOISE\nAPI_KEY={SECRET}\nAPI_KEY={OTHER}",
    ],
)
def test_line(env_file, line):
    """The line of the key may be written as shells and docker take it."""
    assert find(env_file=env_file(line)).value.get_secret_value() == SECRET


@pytest.mark.parametrize("value", ["a=b" * 12, "'half-quoted-half-quoted-half-quoted-half", "'" * 40])
def test_odd_values(env_file, value):
    """A value keeps its equals signs, and a quote that has no partner."""
    kept = "'" * 38 if value == "'" * 40 else value

    assert find(env_file=env_file(f"API_KEY={value}")).value.get_secret_value() == kept


@pytest.mark.parametrize("content", ["", "OTHER=1\n", "API_KEY\n", f"# API_KEY={SECRET}\n", f"X_API_KEY={SECRET}\n"])
def test_no_line(env_file, content):
    """A file without the line is an error, not a reason to look elsewhere."""
    path = env_file(content)
    what, why, _ = refused(env_file=path, environment={"API_KEY": OTHER})

    assert what == "There is no API key, so nothing was started."
    assert why == f"{path} has no API_KEY=… line."


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_empty(value):
    """An empty key is refused wherever it comes from, and nothing else is tried."""
    what, why, _ = refused(environment={"API_KEY": value}, stored=OTHER)

    assert what == "The API key is empty."
    assert why.startswith("From the environment variable API_KEY: 0 characters")


@pytest.mark.parametrize(
    "given",
    [
        {"environment": {"API_KEY": SECRET}},
        {"stored": SECRET},
        {"ask": lambda: SECRET},
    ],
    ids=["environment", "stored", "asked"],
)
def test_short(given):
    """A short key is refused with its length and what production wants, and is not printed."""
    what, why, todo = refused(**given, length=len(SECRET) + 1)

    assert what == "The API key is too short, so nothing was started."
    assert f"{len(SECRET)} characters; production wants {len(SECRET) + 1} at least." in why
    assert "secrets.token_urlsafe" in todo


def test_several():
    """Several keys, a line each, are each held to the rule."""
    assert find(stored=f"{SECRET}\n\n  {OTHER}\n").value.get_secret_value() == f"{SECRET}\n{OTHER}"

    what, why, _ = refused(stored=f"{SECRET}\nshort-key")
    assert what == "The API key is too short, so nothing was started."
    assert ": 9 characters;" in why


def test_just_long_enough():
    """A key of exactly the fewest characters will do."""
    assert find(stored=SECRET, length=len(SECRET)).value.get_secret_value() == SECRET


@pytest.mark.parametrize("odd", ["key with spaces in it, long enough to pass", "schlüssel" * 5, "a\tb" * 12])
def test_unsendable(odd):
    """A key that no HTTP header can carry is refused before anything is started."""
    what, why, _ = refused(environment={"API_KEY": odd})

    assert what == "The API key cannot be sent, so nothing was started."
    assert odd not in why


def test_missing_file(tmp_path):
    """A file that is not there is named."""
    what, why, _ = refused(env_file=tmp_path / "none")

    assert what == f"{tmp_path / 'none'} cannot be read."
    assert "No such file" in why


def test_undecodable(env_file):
    """Bytes that are not UTF-8 do no harm beside the key, and are refused in it."""
    assert find(env_file=env_file(f"# caf\xe9\nAPI_KEY={SECRET}".encode("latin-1"))).value.get_secret_value() == SECRET

    what, _, _ = refused(env_file=env_file(f"API_KEY={SECRET}\xe9".encode("latin-1")))
    assert what == "The API key cannot be sent, so nothing was started."


def test_never_printed():
    """A key's text is a mask, in every form."""
    found = find(stored=SECRET)

    assert SECRET not in f"{found} {found!r} {[found]} {found.value}"


def test_make():
    """A new key is long enough for production, can be sent, and is another one each time."""
    made = {key.make().get_secret_value() for _ in range(20)}

    assert len(made) == 20
    assert all(len(each) == 43 for each in made)
    assert all(find(stored=each) for each in made)
