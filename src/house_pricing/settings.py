"""The one reader of `config/main.toml` and the environment.

Every field of `Settings` is a variable of the same name in capitals, and a key of the same name in the file.
The environment wins over the file, the file over the default; an empty variable counts as unset, so that an
image may list them all. Secrets are refused in the file.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONFIG_FILE = "main.toml"


class SettingsError(Exception):
    """One or more settings cannot be used; each problem is one line and starts with the variable's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _text(value: str) -> str:
    return value


def _choice(*names: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return value.lower()

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(value)

    return read


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise ValueError(f"must be a number of seconds from {low:g} to {high:g}")
        return number

    return read


def _address(value: str) -> str:
    from urllib.parse import urlsplit  # noqa: PLC0415 - the health check does not pay for it

    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https address")
    if parts.username or parts.password:
        raise ValueError("must not hold a password: use MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD")
    return value.rstrip("/")


def _prefix(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must start with /")
    return value.rstrip("/")


def _variable(default: object, meaning: str, read: Callable[[str], Any] = _text, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"doc": meaning, "read": read, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the service was told. Field names are the variables, in lower case."""

    api_key: str = _variable("", "The accepted keys, one a line.", secret=True)
    api_key_file: str = _variable("", "File with the accepted keys, one a line.")
    auth: str = _variable("on", "'off' serves predictions without a key.", _choice("on", "off"))
    api_env: str = _variable(
        "development",
        "'production' asks for secret keys of 32 characters and closes /docs.",
        _choice("development", "production"),
    )
    host: str = _variable("0.0.0.0", "Address to listen on.")  # noqa: S104 - a container is reached from outside
    port: int = _variable(8000, "Port to listen on.", _whole(1, 65535))
    root_path: str = _variable("", "Path under which a proxy publishes the service; the proxy takes it off.", _prefix)
    forwarded_allow_ips: str = _variable("127.0.0.1", "Proxies whose X-Forwarded-* headers are believed.")
    max_body_bytes: int = _variable(1_048_576, "Largest accepted request body.", _whole(1_024, 67_108_864))
    max_batch: int = _variable(1_000, "Most homes in one batch.", _whole(1, 100_000))
    rate_limit: int = _variable(0, "Requests a minute for each key, or each address; 0: any.", _whole(0, 1_000_000))
    request_seconds: float = _variable(
        10.0, "Seconds in which a connection must begin a request, and a request arrive.", _seconds(0.1, 3600)
    )
    drain_seconds: float = _variable(
        0.0, "How long /ready says 503 before the socket closes at a stop.", _seconds(0, 300)
    )
    log_level: str = _variable("info", "Least level that is written.", _choice("debug", "info", "warning", "error"))
    log_dir: str = _variable("", "Folder for the log file beside stdout; empty: stdout only.")
    log_max_bytes: int = _variable(10_000_000, "Size at which the log file is rotated.", _whole(1_024, 10_000_000_000))
    log_backups: int = _variable(5, "Rotated log files that are kept.", _whole(0, 100))
    config_dir: str = _variable("config", f"Folder of {CONFIG_FILE} and models/.")
    model_path: str = _variable("", "Model file; empty: the registry if set, else the one in the image.")
    model_max_bytes: int = _variable(67_108_864, "Largest model file that is read.", _whole(1_024, 2_147_483_647))
    model_cache_dir: str = _variable("", "Folder for the last good copy of a registry's model; empty: none is kept.")
    mlflow_tracking_uri: str = _variable("", "MLflow server to fetch the model from.", _address)
    mlflow_tracking_username: str = _variable("", "User for the MLflow server.")
    mlflow_tracking_password: str = _variable("", "Password for the MLflow server.", secret=True)
    mlflow_tracking_token: str = _variable("", "Bearer token for the MLflow server.", secret=True)
    model_name: str = _variable("house-pricing", "Registered model's name.")
    model_alias: str = _variable("champion", "Alias of the version to serve.")
    healthcheck_timeout: float = _variable(3.0, "Seconds the health check waits for /ready.", _seconds(0.1, 60))


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment and the file it points to.

    Raises:
        SettingsError: With every problem found, not only the first.
    """
    environ = os.environ if environ is None else environ
    folder = Path(environ.get("CONFIG_DIR") or Settings.config_dir)
    problems: list[str] = []
    given = _read_file(folder, problems, required=bool(environ.get("CONFIG_DIR")))
    values: dict[str, Any] = {}
    for item in fields(Settings):
        name = item.name.upper()
        # API_KEY="" in an image means "not set here"; so does an unset variable.
        raw, where = (environ[name], name) if environ.get(name) else given.get(item.name, ("", ""))
        if raw:
            try:
                values[item.name] = item.metadata["read"](raw)
            except ValueError as error:
                hidden = item.metadata["secret"] or "@" in raw  # an address may hold a password
                shown = "" if hidden else f" (it is {raw!r})"
                problems.append(f"{where}: {error}{shown}")
    settings = Settings(**values)
    problems += _conflicts(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _read_file(folder: Path, problems: list[str], *, required: bool) -> dict[str, tuple[str, str]]:
    path = folder / CONFIG_FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            problems.append(f"CONFIG_DIR: there is no {path}")
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path}: cannot be read: {error}")
        return {}
    known = {item.name: item for item in fields(Settings) if item.name != "config_dir"}
    given = {}
    for key, value in table.items():
        problem = _refusal(key, value, known)
        if problem:
            problems.append(f"{path}: {problem}")
        else:
            given[key] = (str(value), f"{path}: {key}")
    return given


def _refusal(key: str, value: object, known: dict[str, Field[Any]]) -> str | None:
    if key not in known:
        from difflib import get_close_matches  # noqa: PLC0415 - only needed for a mistake

        near = get_close_matches(key, known, n=1)
        return f"unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    if known[key].metadata["secret"]:
        return f"{key!r} is a secret and belongs in the environment"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return f"{key!r} must be text or a number"
    return None


def _conflicts(settings: Settings) -> list[str]:
    problems = []
    has_key = bool(settings.api_key or settings.api_key_file)
    if settings.auth == "on" and not has_key:
        problems.append("API_KEY: no key is set: give API_KEY or API_KEY_FILE (AUTH=off serves without one)")
    if settings.auth == "off" and has_key:
        problems.append("AUTH: 'off' contradicts the key that is set: remove one of them")
    if settings.api_key and settings.api_key_file:
        problems.append("API_KEY_FILE: API_KEY is set too: give one of them")
    if settings.mlflow_tracking_token and settings.mlflow_tracking_username:
        problems.append("MLFLOW_TRACKING_TOKEN: MLFLOW_TRACKING_USERNAME is set too: give one of them")
    if bool(settings.mlflow_tracking_username) != bool(settings.mlflow_tracking_password):
        problems.append("MLFLOW_TRACKING_PASSWORD: goes together with MLFLOW_TRACKING_USERNAME")
    return problems
