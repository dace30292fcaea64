"""Errors as RFC 9457 problem documents."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import Scope

    from house_pricing.schema import FieldProblem

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """An answer that is not the one hoped for; the text is the problem's detail."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.errors = errors


def response(scope: Scope, problem: ProblemError) -> Response:
    """The problem as an answer to the request of this scope."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": scope["request_id"],
    }
    if problem.errors:
        document["errors"] = [error.model_dump(exclude_none=True) for error in problem.errors]
    return Response(json.dumps(document, ensure_ascii=False), problem.status, problem.headers, MEDIA_TYPE)
