"""Requests lost by replacing the service again and again under load, behind its gateway and without one.

The production image is released over and over while clients ask for predictions on kept connections, on new ones, and
slowly: headers and half a body, a pause, the rest. Whatever gets no 200 is a failure. The service has a name, a port
and a folder of its own; all of it is removed afterwards.

Usage: python bench/gateway.py [--swaps 20] [--image house-pricing-api:prod] [--only gateway]
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard import pipeline
from dockyard.engines import Engine
from dockyard.engines.buildx import Buildx
from dockyard.engines.daemon import Daemon
from dockyard.report.console import Console
from dockyard.settings import load as read

if TYPE_CHECKING:
    from dockyard.pipeline import Project

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from load import Asked, Load  # noqa: E402 - beside the tests that use it too

PYPROJECT = """
[project]
name = "{name}"
version = "1.0"

[tool.dockyard.run]
name = "{name}"
port = 0
wait = 120
watch = 0
keep_releases = 2
"""
GOLDEN = ROOT / "config" / "models" / "french-listings.golden.json"


def say(line: str) -> None:
    """Print a line at once: a run takes minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def opened(folder: Path, *, gateway: bool) -> Project:
    """Return the service of a folder, with or without its gateway."""
    settings = read({"run.gateway": gateway}, start=folder)
    return pipeline.Project(settings, Engine(Buildx(), Daemon()), Console(quiet=True))


def measured(folder: Path, swaps: int, body: bytes, *, gateway: bool) -> tuple[list[Asked], float]:
    """Replace the service so often under load; return what was asked, and the seconds of a replace."""
    project = opened(folder, gateway=gateway)
    headers = {"X-API-Key": os.environ["API_KEY"], "Content-Type": "application/json"}
    url = pipeline.start_production(project).url
    begun = time.monotonic()
    with Load(url, project.settings.smoke.predict, body, headers) as clients:
        for number in range(1, swaps + 1):
            pipeline.start_production(opened(folder, gateway=gateway))
            say(f"  swap {number}: {len(clients.asked)} requests, {len(clients.failed)} failed")
    return clients.asked, (time.monotonic() - begun) / max(swaps, 1)


def row(title: str, asked: list[Asked], seconds: float) -> str:
    """Return a line of the table; slow requests are as slow as they are sent, and not among the latencies."""
    latencies = [each.seconds * 1000 for each in asked if each.kind != "slow" and not each.problem]
    cuts = statistics.quantiles(latencies, n=100)
    failed = sum(bool(each.problem) for each in asked)
    slow = sum(each.kind == "slow" for each in asked)
    return f"{title:<10}{len(asked):>9}{slow:>7}{failed:>8}{cuts[49]:>9.1f}{cuts[98]:>9.1f}{seconds:>10.1f}"


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--image", default="house-pricing-api:prod")
    parser.add_argument("--only", choices=("gateway", "direct"))
    given = parser.parse_args()
    os.environ["API_KEY"] = secrets.token_hex(24)
    name = f"bench-gateway-{secrets.token_hex(3)}"
    lines: list[str] = []
    problems: collections.Counter[str] = collections.Counter()
    engine: Any = Engine(Buildx(), Daemon())
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        Path(folder, "pyproject.toml").write_text(PYPROJECT.format(name=name), "utf-8")
        engine.buildx.tag(given.image, f"{name}:prod")
        try:
            for way in ("gateway", "direct"):
                if given.only in (None, way):
                    say(way)
                    asked, seconds = measured(Path(folder), given.swaps, body(), gateway=way == "gateway")
                    lines.append(row(way, asked, seconds))
                    problems.update(f"{way}: {each.kind}: {each.problem}" for each in asked if each.problem)
        finally:
            list(pipeline.clean(opened(Path(folder), gateway=True), images=False))
            for reference in engine.daemon.image(f"{name}:prod").tags:
                if reference.startswith(f"{name}:"):
                    engine.buildx.remove_image(reference)
    say(f"{'':<10}{'requests':>9}{'slow':>7}{'failed':>8}{'p50 ms':>9}{'p99 ms':>9}{'s a swap':>10}")
    say("\n".join(lines))
    for problem, count in problems.most_common(10):
        say(f"{count:>6}  {problem}")


def body() -> bytes:
    """Return the request of the first golden prediction."""
    return json.dumps(json.loads(GOLDEN.read_text("utf-8"))["cases"][0]["request"]).encode()


if __name__ == "__main__":
    main()
