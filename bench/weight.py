"""The image's weight over its base, by package, measured in the image itself; writes the table of docs/image-weight.md.

Every file of the image that its base lacks, or has with another size, is counted once, under the distribution whose
RECORD names it. MB are 10^6 bytes, unpacked. Containers are removed as they end; no image is touched.

Usage: python bench/weight.py [--image house-pricing-api:prod] [--base NAME] [--print]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "image-weight.md"
BEGIN, END = "<!-- weight: begin -->", "<!-- weight: end -->"
BASE_LABEL = "org.opencontainers.image.base.name"
SMALL = 200_000  # packages below this share one row

# Runs in the container: every file with its size, and the distributions with their files.
LOOK = """
import importlib.metadata, json, os, stat
files = {}
for top, folders, names in os.walk("/"):
    if top == "/":
        folders[:] = [each for each in folders if each not in ("proc", "sys", "dev", "tmp")]
    for name in names:
        path = os.path.join(top, name)
        facts = os.lstat(path)
        if stat.S_ISREG(facts.st_mode):
            files[path] = [facts.st_size, facts.st_ino, facts.st_dev]
owners = {}
for each in importlib.metadata.distributions():
    for file in each.files or ():
        owners[os.path.normpath(each.locate_file(file))] = f"{each.metadata['Name']} {each.version}"
print(json.dumps([files, owners]))
"""


def stop(what: str, why: str, todo: str) -> None:
    """End with three lines."""
    sys.stderr.write(f"{what}\n{why}\n{todo}\n")
    sys.exit(3)


def docker(*words: str) -> str:
    """What docker answers."""
    try:
        done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        stop("docker cannot be asked.", str(error)[:200], "Type `invoke setup --check`.")
    if done.returncode:
        stop(f"docker {words[0]} failed.", done.stderr.strip()[-200:], "Type `invoke build`, or name another --image.")
    return done.stdout


def look(image: str) -> tuple[dict[str, int], dict[str, str]]:
    """Sizes of an image's files by path, a hard-linked file once, and the distribution that each belongs to."""
    command = ["run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "python", image, "-c", LOOK]
    files, owners = json.loads(docker(*command))
    seen: dict[tuple[int, int], str] = {}
    for path, (_, inode, device) in files.items():
        seen.setdefault((inode, device), path)
    return {path: files[path][0] for path in seen.values()}, owners


def kind_of(path: str, owners: dict[str, str]) -> str:
    """What a file is counted as."""
    if path.startswith("/app/house_pricing/"):
        return "house_pricing, the service"
    if path.startswith("/app/"):
        return "config, with the models"
    # bytecode stands beside its source: package/__pycache__/module.cpython-312.pyc
    source = re.sub(r"__pycache__/([^/]+?)\.cpython-\d+\.pyc$", r"\1.py", path)
    if source in owners:
        return owners[source]
    if re.match(r"/usr/local/lib/python3\.\d+/", path):
        return "standard library's bytecode"
    return "virtual environment itself" if path.startswith("/opt/venv/") else "user, group and other"


def table(image: str, base: str) -> tuple[list[str], int]:
    """The rows by weight, and the number of bytes over the base."""
    files, owners = look(image)
    below, _ = look(base)
    total: dict[str, int] = defaultdict(int)
    code: dict[str, int] = defaultdict(int)
    native: dict[str, int] = defaultdict(int)
    for path, size in files.items():
        if below.get(path) != size:
            kind = kind_of(path, owners)
            total[kind] += size
            code[kind] += size if path.endswith(".pyc") else 0
            native[kind] += size if re.search(r"\.so(\.[\d.]+)?$", path) else 0
    few = [kind for kind, size in total.items() if size < SMALL and " " in kind and kind.split()[1][0].isdigit()]
    if few:
        rest = f"{len(few)} packages below {SMALL / 1e6:.1f} MB each"
        for sums in (total, code, native):
            sums[rest] = sum(sums.pop(kind, 0) for kind in few)
    lines = ["| what | MB | of it shared objects | of it bytecode |", "|---|---:|---:|---:|"]
    for kind, size in sorted(total.items(), key=lambda item: -item[1]):
        lines.append(f"| {kind} | {mb(size)} | {mb(native[kind])} | {mb(code[kind])} |")
    sums = (sum(each.values()) for each in (total, native, code))
    lines.append(f"| **together** | {' | '.join(f'**{mb(each)}**' for each in sums)} |")
    return lines, sum(total.values())


def mb(size: int) -> str:
    """Bytes as MB; nothing where there are none."""
    return f"{size / 1e6:.2f}" if size else ""


def facts(image: str) -> dict[str, Any]:
    """What docker says about an image."""
    found: dict[str, Any] = json.loads(docker("image", "inspect", image))[0]
    return found


def main() -> None:
    """Measure, and put the table between the page's marks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default="house-pricing-api:prod")
    parser.add_argument("--base", help=f"default: what the image's label {BASE_LABEL} says")
    parser.add_argument("--print", action="store_true", help="do not write the page")
    given = parser.parse_args()
    about = facts(given.image)
    labels = about["Config"].get("Labels") or {}
    base = given.base or labels.get(BASE_LABEL)
    if not base:
        stop(f"{given.image} does not say its base.", f"It has no label {BASE_LABEL}.", "Name it with --base.")
    lines, over = table(given.image, base)
    created = str(about["Created"])[:10]
    platform = f"{about['Architecture']}, built on {created}"
    said = f"`{given.image}` ({platform}) weighs **{over / 1e6:.1f} MB over its base**."
    text = "\n".join([BEGIN, "", said, "", *lines, "", END])
    if given.print:
        sys.stdout.write(f"{text}\n")
        return
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + text + rest.split(END)[1], encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {over / 1e6:.1f} MB over {base}\n")


if __name__ == "__main__":
    main()
