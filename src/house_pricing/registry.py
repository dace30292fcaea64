"""A model from an MLflow server: alias, version, file. Three plain GETs with the standard library.

The file is `model.onnx` of the version's artifacts, reached through the server's artifact proxy. The version's tag
`sha256` says what it must be; a version without that tag needs `model.onnx.sha256` beside the file, a fourth GET.
Redirects are not followed, as they would carry the credentials elsewhere.
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
PASSING = {408, 425, 429}
MAX_REPLY = 1_048_576


class RefusalError(model.ModelError):
    """The server answered, and what we ask for is not there or not for us: a matter of settings."""


@dataclass(frozen=True)
class Server:
    """Where MLflow is, and what opens it."""

    uri: str
    headers: dict[str, str] = field(repr=False)

    def get(self, path: str, max_bytes: int = MAX_REPLY) -> bytes:
        """The body of one answer.

        Raises:
            RefusalError: An answer that blames the request.
            ModelError: No answer, any other that is not 200, or one that is too large.
        """
        parts = urlsplit(self.uri)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            connection.request("GET", parts.path + path, headers=self.headers)
            with connection.getresponse() as reply:
                body = reply.read(max_bytes + 1)
        except (OSError, http.client.HTTPException) as error:
            cause = str(error) or type(error).__name__
            raise model.ModelError("the registry does not answer", where=self.uri, cause=cause) from error
        finally:
            connection.close()
        if reply.status != http.client.OK:
            blamed = reply.status in range(300, 500) and reply.status not in PASSING
            kind_of = RefusalError if blamed else model.ModelError
            raise kind_of(f"the registry answers {reply.status}", where=self.uri, cause=_code(body))
        if len(body) > max_bytes:
            over = f"it is larger than {max_bytes} bytes"
            raise model.ModelError("the registry's answer is too large", where=self.uri, cause=over)
        return body

    def get_json(self, method: str, **query: str) -> dict[str, Any]:
        """The answer of one method of MLflow's REST API."""
        reply = _json(self.get(f"/api/2.0/mlflow/{method}?{urlencode(query)}"))
        if reply is None:
            raise model.ModelError("the registry does not speak MLflow's REST API", where=self.uri)
        return reply


def fetch(settings: Settings) -> tuple[model.Model, bytes]:
    """The version that the alias points to, checked like any other model, and the content of its file.

    Raises:
        RefusalError: The server does not know it, or does not let us in.
        ModelError: It cannot be had, or it is not what its digest says.
    """
    server = Server(settings.mlflow_tracking_uri, _headers(settings))
    name, alias = settings.model_name, settings.model_alias
    found = server.get_json("registered-models/alias", name=name, alias=alias).get("model_version", {})
    version = str(found.get("version", ""))
    tags = {tag.get("key"): tag.get("value", "") for tag in found.get("tags", [])}
    source = f"registry {name}@{alias} (version {version}) at {settings.mlflow_tracking_uri}"
    place = server.get_json("model-versions/get-download-uri", name=name, version=version)
    artifacts = urlsplit(str(place.get("artifact_uri", "")))
    if artifacts.scheme != "mlflow-artifacts":
        raise model.ModelError("its files are not behind the registry's artifact proxy", where=source)
    path = "/api/2.0/mlflow-artifacts/artifacts/" + quote(f"{artifacts.path.strip('/')}/{FILE}")
    content = server.get(path, settings.model_max_bytes)
    digest = tags[DIGEST_TAG] if DIGEST_TAG in tags else _digest(server, path, source)
    return model.from_bytes(content, digest, source), content


def _digest(server: Server, path: str, source: str) -> str:
    try:
        words = server.get(f"{path}.sha256").split()
    except RefusalError as error:
        asked = f"neither a tag {DIGEST_TAG!r} nor {FILE}.sha256"
        raise model.ModelError("the registry does not know its digest", where=source, cause=asked) from error
    return str(words[0], "ascii", "replace") if words else ""


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
