"""A running container, how to talk to it, and what it answers."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from dockyard.engines import Engine
    from dockyard.engines.facts import ContainerFacts
    from dockyard.settings import Settings

OK, UNAUTHORIZED, UNPROCESSABLE = 200, 401, 422
ANSWER_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a probe found: its verdict, and the evidence in one line."""

    probe: str
    verdict: Literal["pass", "fail", "not-run"]
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer; `status` 0 means that none came, and `body` then says why."""

    status: int
    body: str

    @property
    def document(self) -> Any:
        """The body as JSON, or None if it is not."""
        try:
            return json.loads(self.body)
        except json.JSONDecodeError:
            return None

    def __str__(self) -> str:
        return f"{self.status or 'no answer'}: {self.body[:160].strip()}"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A running container and how to talk to it."""

    facts: ContainerFacts
    url: str
    key: str
    settings: Settings
    engine: Engine

    def ask(self, method: str, route: str, *, key: str | None = None, body: str | None = None) -> Answer:
        """Send one request; `key` None sends no key header."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if key is not None:
            headers[self.settings.smoke.key_header] = key
        try:
            connection.request(method, route, body, headers)
            answer = connection.getresponse()
            return Answer(status=answer.status, body=answer.read().decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException) as error:
            return Answer(status=0, body=str(error) or type(error).__name__)
        finally:
            connection.close()

    def predict(self, request: Any, *, key: str | None) -> Answer:
        """Ask for a prediction."""
        return self.ask("POST", self.settings.smoke.predict, key=key, body=json.dumps(request))
