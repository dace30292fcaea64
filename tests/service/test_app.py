"""Every answer the service can give, and the line it leaves."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from house_pricing import model
from house_pricing.schema import Prediction, Problem

from .conftest import FLAT, KEY, SHIPPED, Client, ReadableLog, census_model, saved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx


def problem(answer: httpx.Response, status: int) -> Problem:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = Problem.model_validate_json(answer.content)
    assert document.status == status
    assert document.request_id == answer.headers["x-request-id"]
    return document


def test_prediction_has_price_interval_and_version(client: Client) -> None:
    """200: a price inside its interval, in a currency, by a named model."""
    answer = client.predict()
    assert answer.status_code == 200
    prediction = Prediction.model_validate_json(answer.content, strict=True, extra="forbid")
    assert prediction.interval.low < prediction.predicted_price < prediction.interval.high
    assert (prediction.currency, prediction.interval.coverage) == ("EUR", 0.9)
    assert prediction.model_version == "french-listings-1.0.0"


def test_golden_file_holds_over_http(client: Client) -> None:
    """The file the toolkit asks from outside and the model agree."""
    golden = json.loads(SHIPPED.with_suffix(".golden.json").read_text())
    assert len(golden["cases"]) >= 5
    for case in golden["cases"]:
        price = client.predict(case["request"]).json()["predicted_price"]
        assert price == pytest.approx(case["expected"]["predicted_price"], rel=golden["tolerance"])


@pytest.mark.parametrize("key", [None, "", "wrong", KEY[:-1], KEY + "x", KEY.upper()])
def test_no_or_wrong_key_is_401(client: Client, key: str | None) -> None:
    """401 says which header is meant, and comes before the body is looked at."""
    answer = client.predict(b"not even JSON", key=key)
    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("ApiKey ")


def test_every_key_opens_while_keys_rotate(make_client: Callable[..., Client]) -> None:
    """Two keys at once: both open."""
    client = make_client(api_key="old-key\nnew-key")
    assert [client.predict(key=key).status_code for key in ("old-key", "new-key", "older")] == [200, 200, 401]


def test_auth_off_is_open_and_said(make_client: Callable[..., Client], log: ReadableLog) -> None:
    """AUTH=off serves without a key, with a warning at the start."""
    assert make_client(api_key="", auth="off").predict(key=None).status_code == 200
    assert [line["level"] for line in log.lines("auth_off")] == ["warning"]


@pytest.mark.parametrize("path", ["/nope", "/predict/", "/docs/x", "/..%2f"])
def test_unknown_path_is_404(client: Client, path: str) -> None:
    """404 is a problem document too; no redirect guesses."""
    problem(client.get(path), 404)


def test_wrong_method_is_405(client: Client) -> None:
    """405 says what is allowed."""
    answer = client.request("DELETE", "/predict")
    problem(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_large_body_is_413(client: Client) -> None:
    """A body over the limit is refused."""
    problem(client.predict(b" " * 1_048_577), 413)
    assert client.predict(json.dumps(FLAT).encode().ljust(1_048_576)).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"\\ud800": 1}', b"[" * 60_000, b"1" * 60_000])
def test_malformed_body_is_422(client: Client, body: bytes) -> None:
    """A body that is not a JSON object is the client's fault, however it is broken."""
    problem(client.predict(body), 422)


def test_wrong_field_is_422_with_its_range(client: Client) -> None:
    """422 names the field, the unit and the range, in the sentence and apart."""
    document = problem(client.predict({**FLAT, "surface_m2": 5}), 422)
    assert document.detail == "surface_m2 must be a number from 9 to 1000 m²"
    assert document.errors is not None
    assert document.errors[0].model_dump(exclude={"message"}, exclude_none=True) == {
        "field": "surface_m2", "unit": "m²", "minimum": 9.0, "maximum": 1000.0,
    }  # fmt: skip


def test_bug_is_500_without_its_text(client: Client, log: ReadableLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 tells the client nothing; the log has type and place, but not the text, which may quote the body."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("s3cret")

    monkeypatch.setattr(model.Model, "predict", broken)
    answer = client.predict()
    problem(answer, 500)
    (line,) = log.lines("request")
    assert (line["level"], line["status"], line["error"]) == ("error", 500, "ZeroDivisionError")
    assert "broken" in line["where"]
    assert "s3cret" not in answer.text + log.text()


def test_not_ready_is_503_with_the_reason(make_client: Callable[..., Client], tmp_path: Path, shipped: bytes) -> None:
    """A tampered model: alive, not ready, no prediction, and the reason is said."""
    client = make_client(model_path=str(saved(tmp_path, shipped, sha256="0" * 64)))
    assert "the file was changed" in problem(client.get("/ready"), 503).detail
    assert "the file was changed" in problem(client.predict(), 503).detail
    assert client.get("/health").status_code == 200
    assert client.get("/").json()["state"] == "failed"


def test_starting_is_503(make_client: Callable[..., Client]) -> None:
    """Before the model is there, the service is alive but not ready."""
    client = make_client(start=False)
    assert client.get("/health").status_code == 200
    assert problem(client.get("/ready"), 503).detail == "The model is being loaded."


def test_stopping_is_503_but_still_answers(client: Client) -> None:
    """While it stops, /ready sends new work elsewhere and the work in hand is done."""
    assert client.get("/ready").status_code == 200
    client.loader.stop()
    assert problem(client.get("/ready"), 503).detail == "The service is stopping."
    assert client.predict().status_code == 200


def test_ready_says_what_is_served(client: Client) -> None:
    """Version and digest of the model."""
    ready = client.get("/ready").json()
    digest = SHIPPED.with_name(f"{SHIPPED.name}.sha256").read_text().split()[0]
    assert ready == {"status": "ready", "model_version": "french-listings-1.0.0", "sha256": digest}


def test_index_names_the_routes(client: Client) -> None:
    """A newcomer sees what there is."""
    index = client.get("/").json()
    assert (index["service"], index["state"]) == ("house-pricing-api", "ready")
    assert "POST /predict" in index["routes"]


def test_another_model_changes_the_request(make_client: Callable[..., Client], tmp_path: Path) -> None:
    """The request, its errors and the document follow the model; the code does not change."""
    client = make_client(model_path=str(saved(tmp_path, census_model())))
    assert client.predict({"income": 1}).json()["currency"] == "USD"
    assert problem(client.predict(FLAT), 422).detail.startswith("income is missing")
    listing = client.get("/openapi.json").json()["components"]["schemas"]["Listing"]
    assert listing["example"] == {"income": 2.0, "age": 2.0}


def test_openapi_describes_the_request(client: Client) -> None:
    """The document carries ranges, units, examples, the key and the problem form."""
    document = client.get("/openapi.json").json()
    surface = document["components"]["schemas"]["Listing"]["properties"]["surface_m2"]
    assert (surface["minimum"], surface["maximum"], surface["unit"]) == (9, 1000, "m²")
    assert client.predict(document["components"]["schemas"]["Listing"]["example"]).status_code == 200
    assert document["components"]["securitySchemes"]["key"]["name"] == "X-API-Key"
    assert set(document["paths"]["/predict"]["post"]["responses"]) == {
        "200", "401", "408", "413", "422", "429", "500", "503",
    }  # fmt: skip


@pytest.mark.parametrize(("env", "status"), [("development", 200), ("production", 404)])
def test_docs_are_closed_in_production(make_client: Callable[..., Client], env: str, status: int) -> None:
    """The document and its pages are for development."""
    client = make_client(api_env=env)
    assert {client.get(path).status_code for path in ("/docs", "/openapi.json")} == {status}
    assert client.get("/redoc").status_code == 404


@pytest.mark.parametrize("given", ["abc-1", "A_b.9", "x" * 64])
def test_good_request_id_is_kept(client: Client, log: ReadableLog, given: str) -> None:
    """A well-formed id goes through answer and log."""
    answer = client.predict(**{"X-Request-ID": given})
    assert answer.headers["x-request-id"] == log.lines("request")[0]["request_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", 'a"b', "\x1b[2J", "a;b"])
def test_bad_request_id_is_replaced(client: Client, log: ReadableLog, given: str) -> None:
    """Anything else is replaced by one of our own."""
    made = client.predict(**{"X-Request-ID": given}).headers["x-request-id"]
    assert len(made) == 32
    assert log.lines("request")[0]["request_id"] == made


def test_log_line_has_these_fields(client: Client, log: ReadableLog) -> None:
    """One line a request: time, level, event, id, method, route, status, milliseconds, model."""
    client.predict()
    (line,) = log.lines("request")
    assert list(line) == [
        "ts", "level", "event", "request_id", "method", "route", "status", "ms", "model_version",
    ]  # fmt: skip
    shown = (line["level"], line["method"], line["route"], line["status"], line["model_version"])
    assert shown == ("info", "POST", "/predict", 200, "french-listings-1.0.0")
    assert 0 < line["ms"] < 10_000


def test_log_has_the_route_not_the_path(client: Client, log: ReadableLog) -> None:
    """A path that a client made up is not written."""
    client.get("/s3cret?key=s3cret")
    assert [line["route"] for line in log.lines("request")] == ["(none)"]
    assert "s3cret" not in log.text()


def test_key_and_body_are_never_logged(client: Client, log: ReadableLog) -> None:
    """Good or bad, neither the key nor anything of the body reaches the log."""
    for key in (KEY, "wr0ng-key"):
        for listing in (FLAT, {**FLAT, "bogus_field": "b0gus"}, b'{"half": "b0gus'):
            client.predict(listing, key=key)
    text = log.text()
    assert len(log.lines("request")) == 6
    assert not [word for word in (KEY, "wr0ng-key", "bogus", "b0gus", "75011") if word in text]


@pytest.mark.parametrize(
    ("path", "level"), [("/health", "debug"), ("/ready", "debug"), ("/", "info"), ("/nope", "info")]
)
def test_good_probes_are_debug_lines(client: Client, log: ReadableLog, path: str, level: str) -> None:
    """A probe every second does not fill the log."""
    client.get(path)
    assert [line["level"] for line in log.lines("request")] == [level]


def test_client_that_leaves_is_499_in_the_log(client: Client, log: ReadableLog) -> None:
    """A client that goes away in the middle of its body is no error of ours."""
    headers = [(b"x-api-key", KEY.encode())]
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/predict", "headers": headers, "query_string": b"", "root_path": "",
    }  # fmt: skip
    sent = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(client.app(scope, receive, send))
    assert sent == []
    assert [(line["status"], line["level"]) for line in log.lines("request")] == [(499, "info")]
