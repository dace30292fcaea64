"""What Prometheus reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from house_pricing.metrics import _escape

from .conftest import FLAT, KEY, Client, ReadableLog, saved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LABEL = r'[a-z_][a-z0-9_]*="(?:[^"\\\n]|\\.)*"'
SAMPLE = re.compile(rf"([a-z_]+(?:\{{{LABEL}(?:,{LABEL})*\}})?) (\d+(?:\.\d+)?(?:e[+-]\d+)?)")


def scrape(client: Client) -> dict[str, float]:
    """Every sample; a line that Prometheus would not understand fails."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    samples: dict[str, float] = {}
    for line in answer.text.splitlines():
        if not re.fullmatch(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram))", line):
            found = SAMPLE.fullmatch(line)
            assert found, line
            assert found[1] not in samples, line
            samples[found[1]] = float(found[2])
    return samples


def test_requests_are_counted_by_route(client: Client) -> None:
    """Method, template and status; the answer's time falls into buckets that add up."""
    client.predict()
    client.predict()
    client.predict(key="wrong")
    samples = scrape(client)
    assert samples['http_requests_total{method="POST",route="/predict",status="200"}'] == 2
    assert samples['http_requests_total{method="POST",route="/predict",status="401"}'] == 1
    buckets = [value for name, value in samples.items() if name.startswith("http_request_duration_seconds_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == samples['http_request_duration_seconds_count{route="/predict"}'] == 3
    assert 0 < samples['http_request_duration_seconds_sum{route="/predict"}'] < 10
    assert samples["http_requests_in_progress"] == 1


def test_client_makes_no_series(client: Client) -> None:
    """Neither a path nor a method that a client made up becomes a label."""
    for number in range(5):
        client.get(f"/s3cret-{number}")
        client.request(f"S3CRET{number}", "/predict")
    text = client.get("/metrics").text
    assert "s3cret" not in text.lower()
    assert 'http_requests_total{method="GET",route="(none)",status="404"} 5.0' in text
    assert 'http_requests_total{method="(other)",route="/predict",status="405"} 5.0' in text


def test_homes_are_counted(client: Client) -> None:
    """A batch counts by its homes, a refused request not at all."""
    client.predict()
    client.post("/predict/batch", {"instances": [FLAT] * 100})
    client.post("/predict/batch", {"instances": [FLAT, {}]})
    assert scrape(client)['house_pricing_predictions_total{model_version="french-listings-1.0.0"}'] == 101


def test_model_and_state_are_gauges(make_client: Callable[..., Client], tmp_path: Path, shipped: bytes) -> None:
    """Not ready, then ready with a model by name and digest, and the loads that failed."""
    client = make_client(model_path=str(saved(tmp_path, shipped, sha256="0" * 64)))
    samples = scrape(client)
    assert samples["house_pricing_ready"] == 0
    assert not [name for name in samples if name.startswith("house_pricing_model_info")]
    saved(tmp_path, shipped)
    assert client.post("/model/reload").status_code == 200
    samples = scrape(client)
    digest = client.loader.served.model.sha256
    assert samples["house_pricing_ready"] == 1
    assert samples[f'house_pricing_model_info{{model_version="french-listings-1.0.0",sha256="{digest}"}}'] == 1
    assert samples['house_pricing_model_loads_total{result="failed"}'] >= 1
    assert samples['house_pricing_model_loads_total{result="ok"}'] == 1
    assert samples["house_pricing_model_fallback"] == 0
    client.loader.stop()
    assert scrape(client)["house_pricing_ready"] == 0


def test_process_is_measured(client: Client) -> None:
    """Memory, processor time and the start."""
    samples = scrape(client)
    assert samples["process_resident_memory_bytes"] > 10_000_000
    assert samples["process_cpu_seconds_total"] > 0
    assert samples["process_start_time_seconds"] > 1_700_000_000


def test_label_is_escaped() -> None:
    """A model's name cannot end its label or its line."""
    assert _escape('a"b\\c\nd') == r"a\"b\\c\nd"


def test_scrapes_do_not_fill_the_log(client: Client, log: ReadableLog) -> None:
    """A scrape is a debug line, like a probe, and needs no key; no key is in it."""
    assert KEY not in client.get("/metrics").text
    assert [line["level"] for line in log.lines("request")] == ["debug"]
