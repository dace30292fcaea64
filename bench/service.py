"""Requests per second of the service, beside the same model behind `mlflow models serve`, in the same run.

Each server is pinned to one core and wrk to another (where there is `taskset` and a second core), over the loopback,
in turn for some rounds; a row is a median. The service runs as in production: key check, log to stdout and file,
metrics. MLflow's scoring server has the same ONNX graph, in this environment, with one worker, without a key, twice:
with a signature of named columns, as a tabular model is logged, and with one of a bare tensor, which asks least of it.
MLflow gets numbers that are encoded already; the service gets names, categories and ranges to check, and encodes them.

`requests/core s` is what the server did in a second of its own processor time: on a machine that does other things too,
it says what the server would do if it were let.

Usage: python bench/service.py [--rounds 3] [--seconds 6] [--connections 16] [--batch 100] [--only single]
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import service_servers as servers

from house_pricing import contract as contracts
from house_pricing.features import encode

MODEL = servers.ROOT / "config" / "models" / "french-listings.onnx"
TARGET_RATIO, TARGET_RATE = 5, 2500
OURS, COLUMNS, TENSOR = servers.OURS, servers.COLUMNS, servers.TENSOR


@dataclass(frozen=True)
class Load:
    """One kind of request to one server."""

    server: str
    kind: str
    pid: int
    port: int
    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Measured:
    """What wrk saw in one round; latencies in milliseconds."""

    rate: float
    per_core: float
    p50: float
    p99: float


def read_model() -> tuple[contracts.Contract, Any]:
    """The default model with its contract."""
    import onnx  # noqa: PLC0415 - after the arguments are read

    model = onnx.load(str(MODEL))
    return contracts.parse(model.metadata_props[0].value), model


def loads(contract: contracts.Contract, started: dict[str, tuple[int, int]], batch: int) -> list[Load]:
    """Single and batch, to each server; the batch only where the service has that route."""
    golden = [full(contract, row.request) for row in contract.golden]
    names = [feature.name for feature in contract.features]
    other = (("Content-Type", "application/json"),)
    own = (*other, ("X-API-Key", servers.KEY))
    found = []
    for kind, homes in {"single": golden[:1], "batch": [golden[place % len(golden)] for place in range(batch)]}.items():
        path, body = ("/predict", homes[0]) if kind == "single" else ("/predict/batch", {"instances": homes})
        mine = Load(OURS, kind, *started[OURS], path, json.dumps(body).encode(), own)
        if kind == "batch" and servers.ask(mine.port, "POST", path, mine.body, own)[0] == http.client.NOT_FOUND:
            continue
        rows = [encode(contract.features, home) for home in homes]
        for server, form in {
            COLUMNS: {"dataframe_split": {"columns": names, "data": rows}},
            TENSOR: {"inputs": rows},
        }.items():
            found.append(Load(server, kind, *started[server], "/invocations", json.dumps(form).encode(), other))
        found.append(mine)
    return found


def full(contract: contracts.Contract, request: dict[str, Any]) -> dict[str, Any]:
    """The request with every field: JSON has no NaN for what is missing, and MLflow must get the same row."""
    return {feature.name: request.get(feature.name, feature.example) for feature in contract.features}


def check(load: Load) -> None:
    """One answer, which must be a prediction, before thousands are asked for."""
    status, answer = servers.ask(load.port, "POST", load.path, load.body, load.headers)
    if status != http.client.OK:
        servers.stop(
            f"{load.server} answers {status} to a {load.kind} request.", answer.decode()[:300], "See the bench."
        )


def measure(load: Load, seconds: int, connections: int, folder: Path) -> Measured:
    """One round of wrk."""
    script = folder / f"{load.kind}-{load.port}.lua"
    headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in load.headers)
    script.write_text(f'wrk.method = "POST"\nwrk.body = [==[{load.body.decode()}]==]\n{headers}')
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    url = f"http://127.0.0.1:{load.port}{load.path}"
    before = servers.core_seconds(load.pid)
    done = subprocess.run(
        servers.pinned(1, [*command, url]), capture_output=True, text=True, check=True, timeout=seconds + 30
    ).stdout
    if "Non-2xx" in done or "Requests/sec" not in done:
        servers.stop(f"{load.server} did not answer every request with 200.", done.strip()[-300:], "See its log.")
    spent = servers.core_seconds(load.pid) - before
    rate, count = float(re.search(r"Requests/sec: +([\d.]+)", done)[1]), int(re.search(r"(\d+) requests in", done)[1])
    return Measured(rate, count / max(spent, 0.01), latency(done, 50), latency(done, 99))


def latency(text: str, percent: int) -> float:
    """A line of wrk's latency distribution, in milliseconds."""
    number, unit = re.search(rf"^ +{percent}% +([\d.]+)(us|ms|s) *$", text, re.MULTILINE).groups()
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def report(rounds: list[dict[Load, Measured]], batch: int) -> None:
    """A row a server and kind; then the ratio of each kind, as the median of the rounds' own ratios."""
    sys.stdout.write(f"{'':<30}{'requests/s':>12}{'requests/core s':>17}{'p50 ms':>10}{'p99 ms':>10}\n")
    for load in rounds[0]:
        names = ("rate", "per_core", "p50", "p99")
        rate, per_core, p50, p99 = (statistics.median(getattr(each[load], name) for each in rounds) for name in names)
        kind = load.kind if load.kind == "single" else f"{load.kind} of {batch}"
        sys.stdout.write(f"{load.server:<20}{kind:<10}{rate:>12,.0f}{per_core:>17,.0f}{p50:>10.2f}{p99:>10.2f}\n")
    for load in rounds[0]:
        if load.server == OURS:
            continue
        ours = next(each for each in rounds[0] if (each.server, each.kind) == (OURS, load.kind))
        ratio = statistics.median(each[ours].rate / each[load].rate for each in rounds)
        cores = statistics.median(each[ours].per_core / each[load].per_core for each in rounds)
        line = f"{load.kind}: {ratio:.1f} times the requests per second of {load.server}"
        sys.stdout.write(f"{line}, {cores:.1f} times per core second\n")
    sys.stdout.write(f"targets, single: {TARGET_RATIO} times, {TARGET_RATE:,} requests/s\n")


def run(given: argparse.Namespace, folder: Path) -> None:
    """Start the servers, load them in turn, report."""
    contract, model = read_model()
    servers.save_for_mlflow(model, [feature.name for feature in contract.features], folder)
    ports = {name: servers.free_port() for name in (OURS, COLUMNS, TENSOR)}
    started = {}
    with contextlib.ExitStack() as stack:
        for name, port in ports.items():
            command, environ, ready = (
                servers.service(port, folder) if name == OURS else servers.scoring(port, folder / name)
            )
            started[name] = (
                stack.enter_context(servers.serving(command, environ, folder / f"{port}", port, ready)),
                port,
            )
        wanted = [load for load in loads(contract, started, given.batch) if given.only in (None, load.kind)]
        for load in wanted:
            check(load)
            measure(load, 1, given.connections, folder)
        rounds = [
            {load: measure(load, given.seconds, given.connections, folder) for load in wanted}
            for _ in range(given.rounds)
        ]
        report(rounds, given.batch)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=6, help="of each measurement")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--batch", type=int, default=100, help="homes in a batch")
    parser.add_argument("--only", choices=["single", "batch"])
    given = parser.parse_args()
    if not shutil.which("wrk"):
        servers.stop("wrk is missing.", "It makes the load.", "Install the package wrk of Debian or Homebrew.")
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        run(given, Path(folder))


if __name__ == "__main__":
    main()
