"""What reading a saved image costs beside `docker save`: both in turn, the median of their ratios, and the memory.

Read means: decompressed, each file digested, secrets looked for. Each reading is a process of its own; its start and
its imports are not counted, as an audit has them anyway.

Usage: python bench/image.py [--image house-pricing-api:prod] [--runs 9] [--plain]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

from dockyard.audit.patterns import PATTERNS

TARGET_RATIO, TARGET_MB = 1.5, 200
READ = """
import json, resource, sys, time
from dockyard.engines.daemon import Daemon
from dockyard.image import read
from dockyard.audit.patterns import PATTERNS
daemon = Daemon()
daemon.server()
begun, busy = time.perf_counter(), time.process_time()
image = read(daemon.save(sys.argv[1]), patterns=PATTERNS if sys.argv[2] == "secrets" else (), reference=sys.argv[1])
taken, busy = time.perf_counter() - begun, time.process_time() - busy
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
size = sum(layer.size for layer in image.layers)
print(json.dumps([taken, busy, memory, len(image.files), size, len(image.layers)]))
"""


def read_once(image: str, *, secrets: bool) -> list[float]:
    """Read an image in a child, and return what it measured."""
    command = [sys.executable, "-c", READ, image, "secrets" if secrets else "plain"]
    told: list[float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def save_once(image: str) -> float:
    """Save an image to nowhere, and return the wall time."""
    begun = time.perf_counter()
    subprocess.run(["docker", "save", image], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default="house-pricing-api:prod")
    parser.add_argument("--runs", type=int, default=9, help="pairs")
    parser.add_argument("--plain", action="store_true", help="look for no secrets")
    given = parser.parse_args()
    save_once(given.image)
    pairs = [(read_once(given.image, secrets=not given.plain), save_once(given.image)) for _ in range(given.runs)]
    (_, _, _, files, size, layers), _ = pairs[0]
    ours, busy, memory = (statistics.median(read[column] for read, _ in pairs) for column in range(3))
    theirs = statistics.median(save for _, save in pairs)
    ratios = sorted(read[0] / save for read, save in pairs)
    sys.stdout.write(f"{given.image}: {layers} layers, {files} files, {size / 1e6:.0f} MB; {len(PATTERNS)} patterns\n")
    sys.stdout.write(f"read {ours:.3f} s ({busy:.3f} s of processor)  beside save {theirs:.3f} s\n")
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}, {len(ratios)} pairs"
    sys.stdout.write(f"ratio {statistics.median(ratios):.2f} ({spread}); target {TARGET_RATIO}\n")
    sys.stdout.write(f"memory {memory:.0f} MB at its peak; target {TARGET_MB}\n")


if __name__ == "__main__":
    main()
