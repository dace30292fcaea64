"""Out of cache mounts and into them again: only a build reaches them, so that each way is a build of a few lines."""

from __future__ import annotations

import secrets
import shlex
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dockyard.build import Progress
from dockyard.cache.mounts import NAMESPACE
from dockyard.engines.buildx import CommandError
from dockyard.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dockyard.cache.mounts import CacheMount
    from dockyard.engines import Engine
    from dockyard.plan import BuildPlan

PLACE = "/dockyard/mounts"
GIVEN = "/dockyard/given"
OUT = "/dockyard/out"
# Within the mount, so that what was unpacked takes its place in one file system, by links.
HALF = ".dockyard-import"
MOMENT = "DOCKYARD_MOMENT"


def take_out(plan: BuildPlan, mounts: Sequence[CacheMount], engine: Engine, folder: Path) -> list[Path]:
    """Write what is in each mount into a tar of a folder, owners and rights as they are.

    Raises:
        BuildError: It could not be done.
    """
    script = [f"mkdir -p {OUT}"]
    script += [
        f"tar -C {PLACE}/{number} --exclude=./{HALF} --numeric-owner -cf {OUT}/{number}.tar ."
        for number, _ in enumerate(mounts)
    ]
    text = f"{_carrier(plan, mounts, script)}FROM scratch\nCOPY --from=carrier {OUT} /\n"
    here, out = folder / "sent", folder / "out"
    here.mkdir()
    _build(plan, engine, here, text, {"type": "local", "dest": str(out)})
    return [out / f"{number}.tar" for number, _ in enumerate(mounts)]


def put_in(plan: BuildPlan, mounts: Sequence[CacheMount], engine: Engine, folder: Path) -> None:
    """Add what the tars of a folder hold, named by their numbers, to each mount; a file that is there is replaced.

    A mount gets all of its tar or nothing: it is unpacked aside, and takes its place once it is whole.

    Raises:
        BuildError: It could not be done.
    """
    script = []
    for number, _ in enumerate(mounts):
        at = f"{PLACE}/{number}"
        script += [
            f"rm -rf {at}/{HALF} && mkdir {at}/{HALF}",
            f"tar -C {at}/{HALF} --numeric-owner -xpf {GIVEN}/{number}.tar",
            f"cp -alf {at}/{HALF}/. {at}/ && rm -rf {at}/{HALF}",
        ]
    _build(plan, engine, folder, _carrier(plan, mounts, script, given=True), {"type": "cacheonly"})


def empty(plan: BuildPlan, mounts: Sequence[CacheMount], engine: Engine, folder: Path) -> None:
    """Remove what is in each mount; the mount itself stays, so that BuildKit has nothing to forget.

    Raises:
        BuildError: It could not be done.
    """
    script = [f"find {PLACE}/{number} -mindepth 1 -delete" for number, _ in enumerate(mounts)]
    _build(plan, engine, folder, _carrier(plan, mounts, script), {"type": "cacheonly"})


def _carrier(plan: BuildPlan, mounts: Sequence[CacheMount], script: list[str], *, given: bool = False) -> str:
    """Return a stage that runs a script with all mounts, as root and without a network."""
    flags = ["--network=none", *(each.flag(f"{PLACE}/{number}") for number, each in enumerate(mounts))]
    flags += [f"--mount=type=bind,target={GIVEN}"] if given else []
    command = shlex.quote(" && ".join(["set -eu", *script]))
    run = " \\\n    ".join(["RUN", *flags, f"/bin/sh -c {command}"])
    # Another moment is another step: BuildKit does not look at what is in a mount.
    return f"FROM {plan.args['BASE_IMAGE']} AS carrier\nUSER 0\nARG {MOMENT}\n{run}\n"


def _build(plan: BuildPlan, engine: Engine, folder: Path, text: str, output: dict[str, str]) -> None:
    (folder / "Dockerfile").write_text(text, "utf-8")
    namespace = {name: value for name, value in plan.args.items() if name == NAMESPACE}
    options: dict[str, Any] = {
        "file": folder / "Dockerfile",
        "build_args": {**namespace, MOMENT: secrets.token_hex(8)},
        "builder": plan.builder or None,
        # What a mount begins with is pinned here as it is in the build.
        "build_contexts": plan.named_contexts,
        "output": output,
        "provenance": False,
    }
    progress = Progress()
    try:
        with closing(engine.buildx.build(folder, **options)) as messages:
            for message in messages:
                progress.update(message)
    except CommandError as error:
        step = progress.failed
        raise BuildError(
            "The cache mounts could not be reached.",
            (step.log[-1] if step and step.log else "") or error.why,
            "Run `invoke build` first; if it works, look whether the builder has space left.",
        ) from None
