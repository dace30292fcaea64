"""One reader, and nothing that is set is ignored."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from house_pricing.settings import Settings, SettingsError, load

from .conftest import CONFIG, KEY

if TYPE_CHECKING:
    from pathlib import Path

UNUSABLE = {
    "AUTH": "maybe",
    "API_ENV": "prod",
    "PORT": "80a",
    "ROOT_PATH": "prices",
    "MAX_BODY_BYTES": "-1",
    "MAX_BATCH": "0",
    "RATE_LIMIT": "-5",
    "REQUEST_SECONDS": "0",
    "DRAIN_SECONDS": "nan",
    "LOG_LEVEL": "loud",
    "LOG_MAX_BYTES": "1e6",
    "LOG_BACKUPS": "1000",
    "CONFIG_DIR": "/nowhere",
    "MODEL_MAX_BYTES": "0",
    "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
    "HEALTHCHECK_TIMEOUT": "soon",
}


def problems(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load({"CONFIG_DIR": str(CONFIG), "API_KEY": KEY, **environ})
    return caught.value.problems


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.toml").write_text("port = 9000\nlog_level = 'debug'\n")
    return tmp_path


@pytest.mark.parametrize("name", UNUSABLE)
def test_set_but_unusable_variable_is_an_error(name: str) -> None:
    """A variable that is set and cannot be used is named in one line, never ignored."""
    (problem,) = problems(**{name: UNUSABLE[name]})
    assert problem.startswith(f"{name}: ")
    assert "\n" not in problem


def test_every_problem_is_said_at_once() -> None:
    """Two mistakes give two lines."""
    assert len(problems(PORT="0", LOG_LEVEL="loud")) == 2


def test_environment_wins_over_the_file(folder: Path) -> None:
    """The environment wins over the file, the file over the default."""
    settings = load({"CONFIG_DIR": str(folder), "API_KEY": KEY, "PORT": "9001"})
    assert (settings.port, settings.log_level, settings.host) == (9001, "debug", "0.0.0.0")


def test_empty_variable_is_unset(folder: Path) -> None:
    """An image may list a variable as empty without overriding the file."""
    assert load({"CONFIG_DIR": str(folder), "API_KEY": KEY, "PORT": ""}).port == 9000


def test_default_needs_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CONFIG_DIR and without a file, the defaults hold."""
    monkeypatch.chdir(tmp_path)
    assert load({"API_KEY": KEY}) == Settings(api_key=KEY)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", "did you mean 'port'?"),
        ("api_key = 'x'", "belongs in the environment"),
        ("port = true", "must be text or a number"),
        ("port = 0", "port: must be a whole number"),
        ("port =", "cannot be read"),
        ("config_dir = 'elsewhere'", "unknown key"),
    ],
)
def test_mistake_in_the_file_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    """A mistake in the file stops the start, with the file named."""
    (tmp_path / "main.toml").write_text(text)
    (problem,) = problems(CONFIG_DIR=str(tmp_path))
    assert said in problem
    assert problem.startswith(str(tmp_path / "main.toml"))


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"API_KEY": ""}, "API_KEY"),
        ({"AUTH": "off"}, "AUTH"),
        ({"API_KEY_FILE": "/run/key"}, "API_KEY_FILE"),
        ({"MLFLOW_TRACKING_USERNAME": "me"}, "MLFLOW_TRACKING_PASSWORD"),
        (
            {"MLFLOW_TRACKING_TOKEN": "t", "MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "p"},
            "MLFLOW_TRACKING_TOKEN",
        ),
    ],
)
def test_contradictions_are_errors(environ: dict[str, str], name: str) -> None:
    """No key, a key with AUTH=off, two keys' sources, half a login: each is said."""
    (problem,) = problems(**environ)
    assert problem.startswith(f"{name}: ")


def test_secrets_are_not_shown() -> None:
    """Neither the settings' text nor an error's repeats a secret."""
    secret = {"API_KEY": KEY, "MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "pass-word"}
    shown = repr(load({"CONFIG_DIR": str(CONFIG), **secret}))
    shown += str(problems(MLFLOW_TRACKING_URI="http://me:pass-word@mlflow"))
    assert KEY not in shown
    assert "pass-word" not in shown


def test_shipped_file_lists_every_key_with_its_default() -> None:
    """`config/main.toml` holds every key but the secrets, with the default of the code."""
    table = tomllib.loads((CONFIG / "main.toml").read_text())
    known = {f.name: f.default for f in fields(Settings) if not f.metadata["secret"] and f.name != "config_dir"}
    assert table == known


def test_page_lists_every_variable_with_its_default() -> None:
    """`docs/service.md` has a row for each variable, with the default of the code."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? ?\|", (CONFIG.parent / "docs" / "service.md").read_text(), re.M)
    assert dict(rows) == {
        f.name.upper(): f"{f.default:g}" if f.type == "float" else str(f.default) for f in fields(Settings)
    }
