"""A model by alias, from a server that speaks MLflow's REST API."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from house_pricing import model, registry
from house_pricing.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ALIAS = "/base/api/2.0/mlflow/registered-models/alias?name=house-pricing&alias=champion"
PLACE = "/base/api/2.0/mlflow/model-versions/get-download-uri?name=house-pricing&version=3"
FILE = "/base/api/2.0/mlflow-artifacts/artifacts/1/models/m-1/artifacts/model.onnx"


class Mlflow(ThreadingHTTPServer):
    """Answers from a table, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        tag = {"key": "sha256", "value": hashlib.sha256(content).hexdigest()}
        version: dict[str, Any] = {"version": "3", "tags": [{"key": "other"}, tag]}
        self.replies: dict[str, tuple[int, bytes]] = {
            ALIAS: (200, json.dumps({"model_version": version}).encode()),
            PLACE: (200, b'{"artifact_uri": "mlflow-artifacts:/1/models/m-1/artifacts"}'),
            FILE: (200, content),
        }
        self.headers: list[str | None] = []

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/base"


class Handler(BaseHTTPRequestHandler):
    server: Mlflow

    def do_GET(self) -> None:
        self.server.headers.append(self.headers["Authorization"])
        status, body = self.server.replies.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def mlflow(shipped: bytes) -> Iterator[Mlflow]:
    with Mlflow(shipped) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def refusal(server: Mlflow, **settings: Any) -> str:
    with pytest.raises(model.ModelError) as caught:
        registry.fetch(Settings(mlflow_tracking_uri=server.uri, **settings))
    return str(caught.value)


def test_alias_leads_to_the_file(mlflow: Mlflow) -> None:
    """Three requests give a checked model that says where it came from."""
    served, content = registry.fetch(Settings(mlflow_tracking_uri=mlflow.uri))
    assert served.source == f"registry house-pricing@champion (version 3) at {mlflow.uri}"
    assert hashlib.sha256(content).hexdigest() == served.sha256
    assert mlflow.headers == [None, None, None]


@pytest.mark.parametrize(
    ("login", "header"),
    [
        ({"mlflow_tracking_token": "t0ken"}, "Bearer t0ken"),
        ({"mlflow_tracking_username": "me", "mlflow_tracking_password": "pw"}, "Basic bWU6cHc="),
    ],
)
def test_login_goes_with_every_request(mlflow: Mlflow, login: dict[str, str], header: str) -> None:
    """A token or a user's name and password are sent each time."""
    registry.fetch(Settings(mlflow_tracking_uri=mlflow.uri, **login))  # type: ignore[arg-type]
    assert mlflow.headers == [header] * 3


@pytest.mark.parametrize(
    ("path", "reply", "said"),
    [
        (ALIAS, (400, b'{"error_code": "INVALID_PARAMETER_VALUE"}'), "answers 400: INVALID_PARAMETER_VALUE"),
        (ALIAS, (302, b""), "answers 302"),
        (ALIAS, (200, b"<html>"), "does not speak MLflow's REST API"),
        (ALIAS, (200, b'{"model_version": {"version": "3"}}'), "neither a tag 'sha256' nor model.onnx.sha256"),
        (PLACE, (200, b'{"artifact_uri": "s3://bucket/model"}'), "not behind the registry's artifact proxy"),
        (FILE, (404, b""), "answers 404"),
        (FILE, (200, b"tampered"), "the file was changed"),
    ],
)
def test_reply_that_cannot_be_used_is_a_reason(mlflow: Mlflow, path: str, reply: tuple[int, bytes], said: str) -> None:
    """Whatever the server does instead, the reason is said."""
    mlflow.replies[path] = reply
    assert said in refusal(mlflow)


def test_file_over_the_limit_is_refused(mlflow: Mlflow) -> None:
    """The server cannot fill the memory."""
    assert "larger than 1024 bytes" in refusal(mlflow, model_max_bytes=1024)


def test_server_that_is_down_is_a_reason(mlflow: Mlflow) -> None:
    """No answer is a reason, with the address."""
    mlflow.server_close()
    assert f"{mlflow.uri}: the registry does not answer: " in refusal(mlflow)
