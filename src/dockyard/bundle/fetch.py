"""Locks -> wheels, fetched by a build on the base image itself: its Python, its platform, the network of builds."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.build import Progress
from dockyard.build.output import secrets_in
from dockyard.bundle import toolkit
from dockyard.engines.buildx import CommandError
from dockyard.errors import BuildError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dockyard.bundle.locks import Lock
    from dockyard.bundle.loose import Loose
    from dockyard.engines import Engine
    from dockyard.machine import Base

# No `--no-deps` for the toolkit: no lock names what dockyard needs, so pip finds it, in the versions that run here.
DOCKERFILE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS fetched
WORKDIR /fetch
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=ca --mount=type=secret,id=index_url \\
    sh fetch.sh
FROM scratch
COPY --from=fetched /fetched /
"""
SCRIPT = """\
set -eu
export PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
if [ -f /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi
if [ -f /run/secrets/index_url ]; then PIP_INDEX_URL=$(cat /run/secrets/index_url); export PIP_INDEX_URL; fi
mkdir -p /fetched/wheels /fetched/toolkit
for lock in locks/*.txt; do
    [ -f "$lock" ] || continue
    python -m pip download --quiet --dest /fetched/wheels --no-deps --only-binary=:all: --require-hashes -r "$lock"
done
for asked in loose/*.txt; do
    [ -f "$asked" ] || continue
    python -m pip download --quiet --dest /fetched/wheels --only-binary=:all: -c "${asked%.txt}.constraints" -r "$asked"
done
for wheel in dockyard-*.whl; do
    [ -f "$wheel" ] || continue
    python -m pip download --quiet --dest /fetched/toolkit --only-binary=:all: -c constraints.txt "./$wheel"
done
python -c 'import json; from pip._vendor.packaging.markers import default_environment as asked
print(json.dumps({name: str(value) for name, value in asked().items()}))' > /fetched/environment.json
"""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What came for one Python.

    Attributes:
        wheels: Of the locks.
        toolkit: dockyard and what it needs; none where it does not run on that Python.
        environment: The values of the markers there.
    """

    wheels: tuple[Path, ...]
    toolkit: tuple[Path, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Fetching:
    """How wheels are fetched.

    Attributes:
        platform: Empty is the engine's.
        secrets: Those of the project's own build: certificates and index.
    """

    engine: Engine
    locks: tuple[Lock, ...]
    secrets: Mapping[str, Path]
    platform: str = ""
    builder: str = ""

    def fetch(
        self, python: str, base: Base, target: Path, lent: Mapping[str, str], loose: Sequence[Loose] = ()
    ) -> Fetched:
        """Fetch the wheels of one Python into an empty folder.

        Args:
            python: Its version.
            base: What they are fetched on.
            target: The folder.
            lent: Images that the builder is lent, by name, and where buildx finds each.
            loose: What is installed without a lock; the index says what that is today.

        Raises:
            BuildError: A wheel cannot be had, or its hash is none of its lock's.
            Interrupted: Ctrl-C.
        """
        progress = Progress(hidden=secrets_in(self.secrets.values()))
        with tempfile.TemporaryDirectory(prefix="dockyard-") as place:
            folder = Path(place)
            self._fill(folder, python, loose)
            messages = self.engine.buildx.build(
                folder,
                file=folder / "Dockerfile",
                build_args={"BASE_IMAGE": base.pinned},
                secrets=[f"id={name},src={path}" for name, path in self.secrets.items()],
                platforms=[self.platform] if self.platform else None,
                builder=self.builder or None,
                build_contexts=dict(lent),
                # What the index gave for a lock it would give again; of the rest a finished step may be of last year.
                cache=not loose,
                provenance=False,
                output={"type": "local", "dest": str(target)},
            )
            try:
                with closing(messages):
                    for message in messages:
                        progress.update(message)
            except KeyboardInterrupt:
                raise Interrupted("The bundle was not made.", "Ctrl-C was pressed.", "Nothing of it stays.") from None
            except CommandError as error:
                raise _failed(python, progress, error) from None
        told: dict[str, str] = json.loads((target / "environment.json").read_text("utf-8"))
        return Fetched(
            wheels=tuple(sorted((target / "wheels").iterdir())),
            toolkit=tuple(sorted((target / "toolkit").iterdir())),
            environment=told,
        )

    def _fill(self, folder: Path, python: str, loose: Sequence[Loose]) -> None:
        """Write what the build is sent."""
        (folder / "Dockerfile").write_text(DOCKERFILE, "utf-8")
        (folder / "fetch.sh").write_text(SCRIPT, "utf-8")
        (folder / "locks").mkdir()
        for number, lock in enumerate(self.locks):
            (folder / "locks" / f"{number}.txt").write_text(lock.text, "utf-8")
        (folder / "loose").mkdir()
        for number, each in enumerate(loose):
            for suffix, lines in (("txt", each.lines), ("constraints", each.constraints)):
                (folder / "loose" / f"{number}.{suffix}").write_text("".join(f"{line}\n" for line in lines), "utf-8")
        if toolkit.runs_on(python):
            toolkit.write_wheel(folder)
            (folder / "constraints.txt").write_text(toolkit.constraints(), "utf-8")


def _failed(python: str, progress: Progress, error: CommandError) -> BuildError:
    """Say why the wheels did not come, in pip's own words where it said some."""
    step = progress.failed
    said = [line.removeprefix("ERROR: ") for line in step.log if line.startswith("ERROR: ")] if step else []
    return BuildError(
        f"The wheels for Python {python} could not be fetched.",
        "\n".join(_last(said)) or (step.error if step else error.why),
        "Mend what asks for it, or the index that `invoke setup --check` names; then run `invoke bundle` again.",
    )


def _last(lines: Iterable[str]) -> list[str]:
    return list(lines)[-3:]
