"""The only importer of python_on_whales: what is asked of the engine through the docker command line.

Four edges of that library are blunted here, and nowhere else: its exceptions print the whole command line, build
arguments included; output that is not UTF-8 raises UnicodeDecodeError in place of the real error; a generator that is
abandoned leaves its docker process running; and the grace of a `stop` never reaches docker.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dockyard.engines import process
from dockyard.engines.cache import LIST_BUILDERS, BuildCache
from dockyard.engines.messages import MessageDecoder
from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from python_on_whales import DockerClient

INSTALL_PAGE = "https://docs.docker.com/engine/install/"


class CommandError(EngineError):
    """A docker command failed; `output` is all it said, without the command line."""

    def __init__(self, what: str, output: str) -> None:
        super().__init__(what, last_useful_line(output), "Run `invoke setup --check` to see what the engine has.")
        self.output = output


def last_useful_line(output: str) -> str:
    """Return the last line that names a cause, without docker's own decoration and advice."""
    lines = [line.strip() for line in output.splitlines()]
    told = [line for line in lines if line and not line.startswith(("See 'docker", "Run 'docker", "-----"))]
    if not told:
        return "docker said nothing."
    return re.sub(r"^(ERROR: |docker: |Error response from daemon: )+", "", told[-1])


@contextmanager
def guarded(what: str, said: Sequence[str] = ()) -> Iterator[None]:
    """Turn python-on-whales' exceptions into ours; the command line is dropped, since it may hold values.

    Args:
        what: What cannot be done if docker fails.
        said: The lines that name the cause, where the caller can tell them from docker's other output.

    Raises:
        CommandError: docker ran and failed.
        EngineError: There is no docker command.
    """
    from python_on_whales import ClientNotFoundError, DockerException  # noqa: PLC0415 - costs 0.4 s

    try:
        yield
    except DockerException as error:
        # `from None` hides it from a traceback, and keeps it as the context of ours.
        error.args, error.docker_command = (), []
        raise CommandError(what, "\n".join(said) or f"{error.stdout or ''}\n{error.stderr or ''}") from None
    except RuntimeError as error:
        # Ctrl-C in the moment in which a queue takes its lock back arrives as "release unlocked lock".
        raise KeyboardInterrupt if isinstance(error.__context__, KeyboardInterrupt) else error from None
    except UnicodeDecodeError as error:
        raise CommandError(what, "\n".join(said) or error.object.decode("utf-8", "replace")) from None
    except ClientNotFoundError:
        raise EngineError(
            "There is no `docker` command on this machine.",
            "It was looked for on PATH.",
            f"Run `invoke setup`, or read {INSTALL_PAGE}.",
        ) from None


def _messages(stream: Iterable[Any]) -> Generator[dict[str, Any]]:
    """Yield the messages of a build's output, and end docker with whoever listens."""
    decoder = MessageDecoder()
    with guarded("The build failed.", decoder.rest):
        try:
            for line in stream:
                yield from decoder.feed(line)
        except (KeyboardInterrupt, GeneratorExit, RuntimeError):
            process.interrupt_children()
            raise


class Buildx:
    """The docker command line.

    Args:
        call: How docker is called; tests put a recorder here.

    Attributes:
        cache: What its builders keep.
    """

    def __init__(self, call: Sequence[str] = ("docker",)) -> None:
        self._call = list(call)
        self.cache = BuildCache(call)

    @cached_property
    def _client(self) -> DockerClient:
        from python_on_whales import DockerClient  # noqa: PLC0415 - costs 0.4 s

        return DockerClient(client_call=self._call)

    def version(self) -> tuple[int, ...] | None:
        """Return buildx's version, for instance (0, 13, 1), or None where docker has no buildx."""
        answer = process.run([*self._call, "buildx", "version"])
        found = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)", answer.output)
        return tuple(int(part) for part in found.groups()) if answer.ok and found else None

    def driver(self, builder: str | None) -> str:
        """Return what a builder runs on, for instance docker or docker-container; None is the current one."""
        return self._told_of(builder, "Driver")

    def current(self) -> str:
        """Return the name of the builder that builds where none is named, for instance what `buildx use` chose."""
        return self._told_of(None, "Name")

    def _told_of(self, builder: str | None, what: str) -> str:
        """Return what buildx says of a builder."""
        done = process.run([*self._call, "buildx", "inspect", *([builder] if builder else [])])
        found = re.search(rf"^{what}:\s*(\S+)", done.output, re.MULTILINE)
        if not (done.ok and found):
            why = last_useful_line(f"{done.output}\n{done.error}")
            raise EngineError(f"The builder {builder or 'in use'} could not be asked.", why, LIST_BUILDERS)
        return found[1]

    def build(self, context: Path, **options: Any) -> Generator[dict[str, Any]]:
        """Return BuildKit's own messages as they arrive; it begins to build when the first of them is asked for.

        Args:
            context: The folder that is sent.
            options: As of python-on-whales' `buildx.build`.

        Returns:
            Messages, each with `vertexes`, `statuses`, `logs` or `warnings`, as in BuildKit's SolveStatus.

        Raises:
            CommandError: The build failed; its `output` holds what was not a message.
        """
        with guarded("The build failed."):
            stream: Any = self._client.buildx.build(context, progress="rawjson", stream_logs=True, **options)  # type: ignore[arg-type]
        return _messages(stream)

    def check(self, context: Path, *, file: Path, args: Mapping[str, str], target: str = "") -> process.Completed:
        """Ask BuildKit what it has against a Dockerfile, without building it; buildx 0.15 is the first that can.

        Args:
            context: The folder that a build would be sent.
            file: The Dockerfile.
            args: Build arguments.
            target: The stage that would be built; empty is the last one.
        """
        options = [word for name, value in args.items() for word in ("--build-arg", f"{name}={value}")]
        options += ["--target", target] if target else []
        return process.run([*self._call, "buildx", "build", "--check", "--file", str(file), *options, str(context)])

    def pull(self, reference: str) -> None:
        """Pull an image; raise CommandError with the registry's reason if it cannot be had."""
        with guarded(f"{reference} could not be pulled."):
            self._client.image.pull(reference, quiet=True)

    def push(
        self, reference: str, *, seconds: float, environment: Mapping[str, str]
    ) -> Generator[str, None, process.Completed]:
        """Push an image, yield what docker says of each layer, and return how it ended."""
        return process.stream([*self._call, "image", "push", reference], timeout=seconds, environment=environment)

    def load(self, archive: Path) -> list[str]:
        """Load a saved image and return its references."""
        with guarded(f"{archive} could not be loaded."):
            return self._client.image.load(archive, quiet=True)

    def tag(self, image: str, reference: str) -> None:
        """Give an image one more name."""
        with guarded(f"{image} could not be named {reference}."):
            self._client.image.tag(image, reference)

    def remove_image(self, reference: str) -> None:
        """Remove a reference, and the image when nothing else names it."""
        with guarded(f"{reference} could not be removed."):
            self._client.image.remove(reference, force=True)

    def run(self, image: str, command: Sequence[str] = (), **options: Any) -> str:
        """Run a container to its end and return its output.

        Args:
            image: Reference or id.
            command: Replaces the image's own.
            options: As of python-on-whales' `run`.
        """
        with guarded(f"A container of {image} could not be run."):
            # Only as a stream does it keep what the container says of a failure.
            said = list(self._client.container.run(image, list(command), pull="never", stream=True, **options))
        return b"".join(line for origin, line in said if origin == "stdout").decode("utf-8", "replace").strip()

    def create(self, image: str, command: Sequence[str] = (), **options: Any) -> str:
        """Make a container that does not run yet, and return its id; the options are those of `run`."""
        with guarded(f"A container of {image} could not be made."):
            return str(self._client.container.create(image, list(command), pull="never", **options).id)

    def start(self, container: str) -> None:
        """Start a container that was made or stopped."""
        self._finish(f"{container} could not be started.", "container", "start", container)

    def stop(self, container: str, *, seconds: int) -> None:
        """Send SIGTERM, and SIGKILL after `seconds`."""
        command = ("container", "stop", "--time", str(seconds), container)
        self._finish(f"{container} could not be stopped.", *command, seconds=seconds + 60)

    def rename(self, container: str, name: str) -> None:
        """Give a container another name."""
        self._finish(f"{container} could not be renamed.", "container", "rename", container, name)

    def remove(self, container: str, *, volumes: bool = True) -> None:
        """Remove a container, running or not, with its anonymous volumes unless they are to stay."""
        also = ["--volumes"] if volumes else []
        self._finish(f"{container} could not be removed.", "container", "rm", "--force", *also, container)

    def remove_volume(self, name: str) -> None:
        """Remove a named volume."""
        self._finish(f"The volume {name} could not be removed.", "volume", "remove", name)

    def _finish(self, what: str, *command: str, seconds: float = 60) -> None:
        """Run a command to its end: half of it would be worse than all or none, so Ctrl-C does not reach it."""
        done = process.run([*self._call, *command], timeout=seconds, finish=True)
        if not done.ok:
            raise CommandError(what, f"{done.output}\n{done.error}")

    def require_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a network unless it is there; one that somebody makes at the same moment is as good."""
        if self._has_network(name):
            return
        try:
            with guarded(f"The network {name} could not be made."):
                self._client.network.create(name, labels=dict(labels))
        except CommandError:
            if not self._has_network(name):
                raise

    def _has_network(self, name: str) -> bool:
        return process.run([*self._call, "network", "inspect", name]).ok

    def remove_network(self, name: str) -> None:
        """Remove a network that nothing uses."""
        with guarded(f"The network {name} could not be removed."):
            self._client.network.remove(name)

    def shell(self, container: str, command: Sequence[str]) -> None:
        """Run a command in a container with this terminal as its own; how it was left is its user's business."""
        with suppress(CommandError), guarded(f"No shell could be opened in {container}."):
            self._client.container.execute(container, list(command), interactive=True, tty=True)
