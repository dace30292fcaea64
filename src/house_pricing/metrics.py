"""Counters in Prometheus' text form.

Counted on the event loop only, so there is nothing to lock. A label is a route's template, a method HTTP knows or a
version a model file names: nothing a client sends can make a new series.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from house_pricing.loader import Loader

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Sample = tuple[str, "Mapping[str, object]", float]


class Histogram:
    """How many requests took how long."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self._sum += seconds

    def samples(self, labels: Mapping[str, object]) -> Iterable[Sample]:
        """The buckets, each holding those before it, the sum and the count."""
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self._counts, strict=True):
            total += count
            yield "_bucket", {**labels, "le": bound}, total
        yield "_sum", labels, self._sum
        yield "_count", labels, total


class Metrics:
    """What this application has done since it started."""

    def __init__(self) -> None:
        self.in_progress = 0
        self.predictions: Counter[str] = Counter()
        self._started = time.time()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._durations: dict[str, Histogram] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests[method if method in METHODS else "(other)", route, status] += 1
        if route not in self._durations:
            self._durations[route] = Histogram()
        self._durations[route].observe(seconds)

    def render(self, loader: Loader) -> str:
        """Everything as text."""
        requests = [
            ("", {"method": method, "route": route, "status": status}, count)
            for (method, route, status), count in self._requests.items()
        ]
        durations = [
            sample for route, histogram in self._durations.items() for sample in histogram.samples({"route": route})
        ]
        priced = [("", {"model_version": version}, count) for version, count in self.predictions.items()]
        return "".join(
            [
                _family("http_requests_total", "counter", "Answered requests.", requests),
                _family("http_request_duration_seconds", "histogram", "Time to the whole answer.", durations),
                _value("http_requests_in_progress", "gauge", "Requests in hand, this one included.", self.in_progress),
                _family("house_pricing_predictions_total", "counter", "Homes priced.", priced),
                _model(loader),
                _value("process_start_time_seconds", "gauge", "When the service started.", self._started),
                _value("process_cpu_seconds_total", "counter", "Processor time used.", time.process_time()),
                _value("process_resident_memory_bytes", "gauge", "Memory in use.", _resident()),
            ]
        )


def _model(loader: Loader) -> str:
    served = loader.served
    info: list[Sample] = []
    if served:
        info = [("", {"model_version": loader.model_version, "sha256": served.model.sha256}, 1)]
    fallback = bool(served and served.model.fallback)
    loads: list[Sample] = [("", {"result": result}, count) for result, count in loader.loads.items()]
    return "".join(
        [
            _value("house_pricing_ready", "gauge", "1 where /ready answers 200.", loader.state == "ready"),
            _family("house_pricing_model_info", "gauge", "The model being served.", info),
            _value("house_pricing_model_fallback", "gauge", "1 where it is the last good copy.", fallback),
            _family("house_pricing_model_loads_total", "counter", "Attempts to load a model.", loads),
        ]
    )


def _value(name: str, kind: str, about: str, value: float) -> str:
    return _family(name, kind, about, [("", {}, value)])


def _family(name: str, kind: str, about: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
    for suffix, labels, value in samples:
        inside = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
        lines.append(f"{name}{suffix}{f'{{{inside}}}' if inside else ''} {float(value)!r}")
    return "\n".join(lines) + "\n"


def _escape(text: object) -> str:
    return str(text).replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _resident() -> float:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a tenth of Path's time
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0.0
