"""How much one caller may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from house_pricing import limits
from house_pricing.limits import RateLimit
from house_pricing.problems import ProblemError

from .conftest import KEY, Client

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Clock:
    """A clock that moves when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def wait_told(rate: RateLimit, caller: object) -> int:
    """Seconds in Retry-After; 0 where the request is let in."""
    try:
        rate.take(caller)
    except ProblemError as problem:
        return int((problem.headers or {})["Retry-After"])
    return 0


def test_bucket_refills_evenly() -> None:
    """Two at once, then one every thirty seconds; Retry-After says when, and keeping to it is enough."""
    clock = Clock()
    rate = RateLimit(2, clock)
    assert [wait_told(rate, "a") for _ in range(4)] == [0, 0, 30, 30]
    clock.now += 29.5
    assert wait_told(rate, "a") == 1
    clock.now += 1
    assert [wait_told(rate, "a") for _ in range(2)] == [0, 30]
    clock.now += 3600
    assert [wait_told(rate, "a") for _ in range(3)] == [0, 0, 30]


def test_callers_do_not_share() -> None:
    """One caller's haste is not another's."""
    rate = RateLimit(1, Clock())
    assert [wait_told(rate, caller) for caller in "abab"] == [0, 0, 60, 60]


def test_zero_is_no_limit() -> None:
    """Off means off, and nothing is kept."""
    rate = RateLimit(0, Clock())
    assert {wait_told(rate, "a") for _ in range(1000)} == {0}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers that come by the million do not fill the memory: who was silent longest is forgotten first."""
    monkeypatch.setattr(limits, "MAX_CALLERS", 2)
    rate = RateLimit(1, Clock())
    assert [wait_told(rate, caller) for caller in "abac"] == [0, 0, 60, 0]
    assert [wait_told(rate, caller) for caller in "ab"] == [60, 0]


def test_too_many_requests_are_429(make_client: Callable[..., Client]) -> None:
    """A key over its rate is told when to come back; probes and other keys are not counted."""
    client = make_client(api_key=f"{KEY}\nother-key", rate_limit=2)
    assert [client.predict().status_code for _ in range(3)] == [200, 200, 429]
    refused = client.post("/predict/batch", {"instances": []})
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert 0 < int(refused.headers["retry-after"]) <= 30
    assert client.predict(key="other-key").status_code == 200
    assert {client.get(path).status_code for path in ("/health", "/ready", "/metrics")} == {200}


def test_guessing_keys_is_slowed_down(make_client: Callable[..., Client]) -> None:
    """Wrong keys count for the address; a good key from there still opens."""
    client = make_client(rate_limit=2)
    assert [client.predict(key=f"guess-{number}").status_code for number in range(4)] == [401, 401, 429, 429]
    assert client.predict().status_code == 200


def test_open_service_limits_addresses(make_client: Callable[..., Client]) -> None:
    """With AUTH=off the address is the caller, whatever it sends as a key."""
    client = make_client(api_key="", auth="off", rate_limit=2)
    assert [client.predict(key=f"any-{number}").status_code for number in range(3)] == [200, 200, 429]
