"""Evidence that passes and that fails SUP-01, SUP-06 and SUP-08."""

from __future__ import annotations

from functools import partial

from dockyard.audit.read import TextFile
from dockyard.audit.trials import Twice
from dockyard.dockerfile import parse

HASH = f"--hash=sha256:{'a1' * 32}"
LOCK = f"""\
# made by uv
--index-url http://index.example/simple
h11==0.16.0 \\
    {HASH} \\
    --hash=sha256:{"b2" * 32}
    # via uvicorn
uvloop==0.21.0 ; sys_platform != "win32" {HASH}
idna[all]==3.10 {HASH}  # a comment
"""
DOCKERFILE = """\
FROM python AS builder
COPY lock.txt .
RUN --mount=type=cache,target=/root/.cache/uv PIP_NO_INPUT=1 \\
    with-network python -m pip install --quiet --require-hashes --requirement lock.txt
RUN <<EOT
set -eu
uv sync --locked
EOT
FROM python
COPY --from=builder /opt/venv /opt/venv
RUN echo hello && apt-get install -y tzdata
"""
WORKFLOW = f"""\
on: push
permissions: {{}}
jobs:
  check:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@{"a1" * 20} # v7
      - uses: ./own/action
      - uses: docker://alpine@sha256:{"b2" * 32}
  image:
    permissions:
      contents: read
    steps:
      - uses: docker/build-push-action@{"c3" * 20}
        with:
          cache-from: type=gha
          cache-to: type=gha,mode=max
  shared:
    uses: octo/shared/.github/workflows/x.yml@{"d4" * 20}
"""


def locked(old: str = "", new: str = "", *, dockerfile: str = DOCKERFILE, lock: str = LOCK) -> dict[str, object]:
    """The good lock with one change, and the good Dockerfile or another."""
    assert old in lock
    text = lock.replace(old, new, 1) if old else lock
    return {"lock": TextFile(path="requirements.txt", text=text), "dockerfile": parse(dockerfile)}


def built(old: str, new: str) -> dict[str, object]:
    """The good Dockerfile with one change."""
    assert old in DOCKERFILE
    return locked(dockerfile=DOCKERFILE.replace(old, new, 1))


def run(command: str) -> dict[str, object]:
    """The good Dockerfile with another command."""
    return built("RUN echo hello", f"RUN {command}")


def twice(*digests: str, differing: tuple[str, ...] = ()) -> dict[str, object]:
    return {"rebuild": Twice(digests=digests, differing=differing)}


def workflows(old: str = "", new: str = "") -> dict[str, object]:
    """The good workflow with one change."""
    assert old in WORKFLOW
    text = WORKFLOW.replace(old, new, 1) if old else WORKFLOW
    return {"workflows": (TextFile(path=".github/workflows/ci.yml", text=text),)}


PASSING = {"SUP-01": locked, "SUP-06": partial(twice, "sha256:1", "sha256:1"), "SUP-08": workflows}
FAILING = {
    "SUP-01": [
        ("`h11>=0.16.0` is not pinned with ==", partial(locked, "h11==", "h11>=")),
        ("is not pinned with ==", partial(locked, "h11==0.16.0", "h11==0.16.*")),
        ("is not pinned with ==", partial(locked, "h11==0.16.0", "h11")),
        ("`idna[all]==3.10` has no SHA-256 hash", partial(locked, f"3.10 {HASH}", "3.10")),
        ("has no SHA-256 hash", partial(locked, f"3.10 {HASH}", "3.10 --hash=md5:00")),
        ("takes what it names from elsewhere", partial(locked, "# made by uv", "-r other.txt")),
        ("takes what it names from elsewhere", partial(locked, "# made by uv", "-e .")),
        ("takes what it names from elsewhere", partial(locked, "# made by uv", "--find-links=/x")),
        ("is an option that is not known", partial(locked, "# made by uv", "--wild")),
        ("is no requirement with a version", partial(locked, "# made by uv", "https://host/h11.whl")),
        ("is no requirement with a version", partial(locked, "# made by uv", "./h11.whl")),
        ("is a URL", partial(locked, "idna[all]==3.10", "idna @ https://host/idna.whl")),
        ("requirements.txt has no requirement", partial(locked, lock="# none\n")),
        ("no --require-hashes", partial(built, "--require-hashes ", "")),
        ("no --require-hashes", partial(run, "pip --cache-dir /x install h11")),
        ("no --require-hashes", partial(run, "PIP_REQUIRE_HASHES=0 pip3 install -r lock.txt")),
        ("no --require-hashes", partial(run, "uv pip sync lock.txt")),
        ("no --require-hashes", partial(run, "sh -c 'pip install h11'")),
        ("no --require-hashes", partial(run, "pip install --no-deps h11")),
        ("no --require-hashes", partial(run, "pip install --no-deps http://host/h11.whl")),
        ("neither --locked nor --frozen", partial(built, "uv sync --locked", "uv sync")),
        ("uv tool takes what no lock holds", partial(run, "uv tool install ruff")),
        ("poetry add takes what no lock holds", partial(run, "poetry add h11")),
        ("setup.py takes what no lock holds", partial(run, "python3 setup.py install")),
    ],
    "SUP-06": [
        ("the digests differ", partial(twice, "sha256:1", "sha256:2")),
        ("differs between two builds", partial(twice, "sha256:1", "sha256:1", differing=("/app/a.pyc",))),
        ("two builds gave sha256:1", partial(twice, "sha256:1")),
        ("two builds gave no digest", twice),
    ],
    "SUP-08": [
        ("uses actions/checkout@v7: not pinned", partial(workflows, f"checkout@{'a1' * 20}", "checkout@v7")),
        ("not pinned", partial(workflows, f"checkout@{'a1' * 20}", f"checkout@{'a1' * 19}")),
        ("uses docker://alpine:3: not pinned", partial(workflows, f"alpine@sha256:{'b2' * 32}", "alpine:3")),
        ("uses octo/shared/.github/workflows/x.yml@main", partial(workflows, f"yml@{'d4' * 20}", "yml@main")),
        ("permissions are write-all", partial(workflows, "permissions: {}", "permissions: write-all")),
        (
            "permissions are write-all",
            partial(workflows, "permissions:\n      contents: read", "permissions: write-all"),
        ),
        ("has no permissions stated", partial(workflows, "permissions: {}", "other: {}")),
        ("without cache-from", partial(workflows, "cache-from: type=gha", "other: 1")),
        ("without cache-to", partial(workflows, "cache-to: type=gha,mode=max", "other: 1")),
        (
            "without cache-from and cache-to",
            partial(workflows, "      - uses: ./own/action", "      - run: docker buildx build ."),
        ),
        ("is no YAML", partial(workflows, "on: push", "on: [")),
    ],
}
