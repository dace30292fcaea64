"""A model from an MLflow server: alias, version, file. Three plain GETs with the standard library.

The file is `model.onnx` of the version's artifacts, reached through the server's artifact proxy, and the version's
tag `sha256` says what it must be. Redirects are not followed, as they would carry the credentials elsewhere.
"""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from house_pricing import model

if TYPE_CHECKING:
    from house_pricing.settings import Settings

FILE = "model.onnx"
DIGEST_TAG = "sha256"
TIMEOUT = 10.0
MAX_REPLY = 1_048_576


@dataclass(frozen=True)
class Server:
    """Where MLflow is, and what opens it."""

    uri: str
    headers: dict[str, str] = field(repr=False)

    def get(self, path: str, max_bytes: int = MAX_REPLY) -> bytes:
        """The body of one answer.

        Raises:
            ModelError: No answer, one that is not 200, or one that is too large.
        """
        parts = urlsplit(self.uri)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            connection.request("GET", parts.path + path, headers=self.headers)
            with connection.getresponse() as reply:
                body = reply.read(max_bytes + 1)
        except (OSError, http.client.HTTPException) as error:
            raise model.ModelError(f"{self.uri} does not answer: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if reply.status != http.client.OK:
            raise model.ModelError(f"{self.uri} answers {reply.status} {_code(body)}".rstrip())
        if len(body) > max_bytes:
            raise model.ModelError(f"{self.uri}: the answer is larger than {max_bytes} bytes")
        return body

    def get_json(self, method: str, **query: str) -> dict[str, Any]:
        """The answer of one method of MLflow's REST API."""
        reply = _json(self.get(f"/api/2.0/mlflow/{method}?{urlencode(query)}"))
        if reply is None:
            raise model.ModelError(f"{self.uri} does not speak MLflow's REST API")
        return reply


def fetch(settings: Settings) -> model.Model:
    """The version that the alias points to, checked like any other model.

    Raises:
        ModelError: It cannot be had, or it is not what its tag says.
    """
    server = Server(settings.mlflow_tracking_uri, _headers(settings))
    name, alias = settings.model_name, settings.model_alias
    found = server.get_json("registered-models/alias", name=name, alias=alias).get("model_version", {})
    version = str(found.get("version", ""))
    tags = {tag.get("key"): tag.get("value", "") for tag in found.get("tags", [])}
    source = f"registry {name}@{alias} (version {version}) at {settings.mlflow_tracking_uri}"
    if DIGEST_TAG not in tags:
        raise model.ModelError(f"{source}: the version has no tag {DIGEST_TAG!r}")
    place = server.get_json("model-versions/get-download-uri", name=name, version=version)
    artifacts = urlsplit(str(place.get("artifact_uri", "")))
    if artifacts.scheme != "mlflow-artifacts":
        raise model.ModelError(f"{source}: its files are not behind the server's artifact proxy")
    path = quote(f"{artifacts.path.strip('/')}/{FILE}")
    content = server.get(f"/api/2.0/mlflow-artifacts/artifacts/{path}", settings.model_max_bytes)
    return model.from_bytes(content, tags[DIGEST_TAG], source)


def _headers(settings: Settings) -> dict[str, str]:
    if settings.mlflow_tracking_token:
        return {"Authorization": f"Bearer {settings.mlflow_tracking_token}"}
    if settings.mlflow_tracking_username:
        pair = f"{settings.mlflow_tracking_username}:{settings.mlflow_tracking_password}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


def _code(body: bytes) -> str:
    return str((_json(body) or {}).get("error_code", ""))[:60]


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        reply = json.loads(body)
    except ValueError:
        return None
    return reply if isinstance(reply, dict) else None
