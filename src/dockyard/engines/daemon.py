"""The only importer of the docker SDK: what is observed over the engine's socket, at a few milliseconds a question.

It changes one thing: `write_volume` puts a secret into a volume, because the socket is the only way there that touches
neither an argument list nor a file that the host's users can read.
"""

from __future__ import annotations

import io
import os
import tarfile
from contextlib import closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dockyard.engines.facts import read_container, read_image, read_server
from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docker import APIClient, DockerClient

    from dockyard.engines.facts import ContainerFacts, ImageFacts, ServerFacts


CARRIED = "/carried"  # where a container that is never started has the volume that it carries a file into


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turn the SDK's exceptions, and those of the HTTP library below it, into ours."""
    import docker.errors  # noqa: PLC0415 - costs 0.26 s
    import requests  # noqa: PLC0415

    try:
        yield
    except docker.errors.APIError as error:
        raise EngineError(
            what, str(error.explanation or error), "Look at `docker events` and the engine's log."
        ) from None
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise EngineError(
            "The Docker engine does not answer.",
            f"{what} {_innermost(error)}",
            "Run `invoke setup`: it starts the engine, or says what is missing.",
        ) from None


def _innermost(error: BaseException) -> str:
    """Return the first cause: the socket's own message rather than the libraries' wrappings of it."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return str(error)


def _connect(seconds: float) -> DockerClient:
    """Return a client whose answers may take so long; it asks the engine that the docker command asks."""
    import docker  # noqa: PLC0415 - costs 0.26 s
    from docker.context import ContextAPI  # noqa: PLC0415

    if os.environ.get("DOCKER_HOST"):
        return docker.from_env(timeout=int(seconds))
    name = os.environ.get("DOCKER_CONTEXT")
    context = ContextAPI.get_context(name) if name else ContextAPI.get_current_context()
    if context is None:
        raise EngineError(
            f"There is no docker context {name}.", "DOCKER_CONTEXT names it.", "Look at `docker context ls`."
        )
    return docker.DockerClient(base_url=context.Host, tls=context.TLSConfig or False, timeout=int(seconds))


class Daemon:
    """The engine's socket; connected on the first question.

    Args:
        timeout: Seconds that one answer may take.
    """

    def __init__(self, timeout: float = 30) -> None:
        self._timeout = timeout

    @cached_property
    def _client(self) -> DockerClient:
        return _connect(self._timeout)

    @property
    def api(self) -> APIClient:
        """The SDK's plain calls, for the other modules of this room."""
        return self._client.api

    def reachable(self) -> bool:
        """Whether an engine answers."""
        try:
            self.server()
        except EngineError:
            return False
        return True

    def server(self) -> ServerFacts:
        """Return what the engine says of itself; raise EngineError if none answers."""
        with guarded("It was asked for its version."):
            info = self._client.info()
        return read_server(info)

    def image(self, reference: str) -> ImageFacts | None:
        """Return an image by reference or id, or None if the engine has it not."""
        import docker.errors  # noqa: PLC0415

        with guarded(f"It was asked for the image {reference}."):
            try:
                told = self._client.images.get(reference).attrs
            except docker.errors.ImageNotFound:
                return None
        return read_image(told)

    def images(self, label: str) -> tuple[str, ...]:
        """Return the references, or else ids, of the images with a label, for instance `key=value`."""
        with guarded("It was asked for images."):
            told = self._client.api.images(filters={"label": label})
        return tuple(name for image in told for name in (image.get("RepoTags") or [image["Id"]]))

    def save(self, image: str) -> Iterator[bytes]:
        """Yield an image as an archive, in the pieces in which the engine sends it.

        Raises:
            EngineError: The engine has no such image, or stops sending.
        """
        with guarded(f"It was asked to save the image {image}."):
            yield from self._client.api.get_image(image)

    def published(self, reference: str, *, seconds: float = 15, login: Mapping[str, str] | None = None) -> str | None:
        """Return the digest that a registry has for a reference, or None if it has not that image.

        Args:
            reference: For instance python:3.12-slim-bookworm.
            seconds: That the registry may take.
            login: `username` and `password`; default: what docker itself keeps for that registry.

        Raises:
            EngineError: The registry does not answer, or refuses.
        """
        import docker.errors  # noqa: PLC0415
        import requests  # noqa: PLC0415

        with guarded(f"The registry was asked for {reference}."), closing(_connect(seconds)) as client:
            try:
                return str(client.images.get_registry_data(reference, auth_config=dict(login or {}) or None).id)
            except docker.errors.NotFound:
                return None
            except requests.ReadTimeout:
                raise EngineError(
                    f"The registry was asked for {reference}.",
                    f"It did not answer within {seconds:g} s.",
                    "Name a mirror in the settings, or a folder of saved images.",
                ) from None

    def container(self, name: str) -> ContainerFacts | None:
        """Return a container by name or id, or None."""
        import docker.errors  # noqa: PLC0415

        with guarded(f"It was asked for the container {name}."):
            try:
                return read_container(self._client.api.inspect_container(name))
            except docker.errors.NotFound:
                return None

    def containers(self, *, label: str | None = None, publishing: int | None = None) -> tuple[ContainerFacts, ...]:
        """Return the containers with a label, stopped ones too, or those that publish a port of the host."""
        filters = {"label": label} if label else {"publish": str(publishing)}
        with guarded("It was asked for containers."):
            found = self._client.api.containers(all=bool(label), filters=filters)
        facts = (self.container(each["Id"]) for each in found)
        return tuple(each for each in facts if each)

    def logs(self, container: str, *, lines: int | None = None, follow: bool = False) -> Iterator[str]:
        """Yield a container's log, line by line; with `follow` until it ends."""
        with guarded(f"It was asked for the log of {container}."):
            stream = self._client.api.logs(
                container, stream=True, follow=follow, tail="all" if lines is None else lines
            )
            rest = b""
            for chunk in stream:
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line.decode("utf-8", "replace").rstrip("\r") for line in whole)
            if rest:
                yield rest.decode("utf-8", "replace")

    def stats(self, container: str, *, at_once: bool = False) -> Mapping[str, Any]:
        """Return one sample of a container's use, as the engine's API gives it; `at_once` without the one before it."""
        with guarded(f"It was asked for the statistics of {container}."):
            return self._client.api.stats(container, stream=False, one_shot=at_once or None)  # type: ignore[no-any-return]

    def volumes(self, label: str) -> tuple[str, ...]:
        """Return the names of the volumes with a label."""
        with guarded("It was asked for volumes."):
            return tuple(each["Name"] for each in self._client.api.volumes(filters={"label": label})["Volumes"] or ())

    def networks(self, label: str) -> tuple[str, ...]:
        """Return the names of the networks with a label."""
        with guarded("It was asked for networks."):
            return tuple(each["Name"] for each in self._client.api.networks(filters={"label": label}))

    def read_folder(self, container: str, path: str) -> dict[str, bytes]:
        """Return the files of a folder of a container, mounts included, by their path below its parent.

        A path of one file gives that file alone; a path that is not there gives nothing.
        """
        import docker.errors  # noqa: PLC0415

        with guarded(f"It was asked for {path} of {container}."):
            try:
                stream, _ = self._client.api.get_archive(container, path)
            except docker.errors.NotFound:
                return {}
            with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
                members = ((member.name, archive.extractfile(member)) for member in archive if member.isfile())
                return {name: member.read() for name, member in members if member}

    def write_volume(
        self, volume: str, *, image: str, name: str, content: bytes, group: int, labels: Mapping[str, str]
    ) -> None:
        """Make a labelled volume that holds one file, readable by root and one group.

        A container that is never started carries the file there, so its content is in no argument list, no
        environment and no file of the project.
        """
        with guarded(f"The file {name} was to be written into the volume {volume}."):
            self._client.api.create_volume(volume, labels=dict(labels))
            carrier = self._client.api.create_container(
                image,
                command=["true"],
                labels=dict(labels),
                volumes=[CARRIED],
                host_config=self._client.api.create_host_config(binds=[f"{volume}:{CARRIED}"], network_mode="none"),
            )["Id"]
            try:
                self._client.api.put_archive(carrier, CARRIED, archive_of(name, content, group))
            finally:
                self._client.api.remove_container(carrier, force=True, v=True)


def archive_of(name: str, content: bytes, group: int) -> bytes:
    """Return a tar of one file owned by root and a group, mode 0440."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.uid, entry.gid = len(content), 0o440, 0, group
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
