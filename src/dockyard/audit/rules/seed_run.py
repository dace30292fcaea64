"""SEED-10 and SEED-13: the logs volume, and what a start needs."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.accounts import number
from dockyard.audit.facts.configured import at, below, key, ours, rights, table
from dockyard.audit.facts.instructions import on, shipped
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.trials import Keys, Volume
    from dockyard.audit.verdict import Proof
    from dockyard.dockerfile import Dockerfile, Instruction
    from dockyard.image import Image
    from dockyard.settings import Settings
    from dockyard.smoke import Result

OWNER_ALL, OTHERS_WRITE = 0o700, 0o002
# It served, or did not end in time.
WENT_ON = (0, 124)
ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - compared, not listened on


def _foreign(image: Image, settings: Settings) -> Proof:
    return unknown(f"{image.reference} is no image of {settings.image}, whose contract is known")


class LogsVolume(Rule):
    """The logs folder is a declared volume that the service's user owns and can write, however it is mounted.

    An engine that mounts an empty volume copies the folder's owner and rights from the image: if the folder is not
    there, or is root's, the first log line fails. The older builder drops what is written to a volume's folder after
    `VOLUME`, and BuildKit keeps it: an image must not depend on either.

    Remedy: in the final stage `RUN install --directory --owner=1000 --group=1000 /app/logs`, then, after all that
    writes, `VOLUME ["/app/logs"]`.
    """

    id = "SEED-10"
    title = "Logs volume declared and usable"
    severity = Severity.HIGH
    references = ("ANSSI R14",)

    @part
    def declared(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """The configuration has it."""
        if not ours(image, settings):
            yield _foreign(image, settings)
            return
        volumes, wanted = sorted(table(image, "Volumes")), settings.run.logs_target
        told = f"Config.Volumes is {', '.join(volumes) or 'empty'}"
        place = key("Volumes")
        yield holds(told, place) if wanted in volumes else broken(f"{told}; {wanted} is wanted", place)

    @part
    def folder(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """It exists, and is the user's alone to write."""
        if not ours(image, settings):
            yield _foreign(image, settings)
            return
        path, uid = settings.run.logs_target, number(settings.run.user.partition(":")[0])
        entry = image.resolve(path)
        if entry is None or entry.kind != "directory":
            yield broken(f"{path} is no folder of the image", Place(subject=path))
            return
        told = f"{entry.path} is {rights(entry)}"
        if entry.uid != uid or entry.mode & OWNER_ALL != OWNER_ALL:
            yield broken(f"{told}: uid {uid} cannot use it as its own", at(entry))
        elif entry.mode & OTHERS_WRITE:
            yield broken(f"{told}: everybody may write", at(entry))
        else:
            yield holds(told, at(entry))

    @part
    def order(self, dockerfile: Dockerfile, settings: Settings) -> Iterator[Proof]:
        """Nothing writes there once it is a volume."""
        if dockerfile.name != posixpath.normpath(settings.build.dockerfile):
            yield unknown(f"{dockerfile.name} is not the Dockerfile of {settings.image}, whose contract is known")
            return
        path, instructions = settings.run.logs_target, shipped(dockerfile, settings)
        declaring = [
            each for each in instructions if each.keyword == "VOLUME" and path in (each.expanded or each.words)
        ]
        if not declaring:
            yield broken(f"No VOLUME of the final stage names {path}", on(dockerfile, instructions[0]))
            return
        first = declaring[0]
        late = [each for each in instructions if each.line > first.line and _writes(each, path)]
        yield from (
            broken(f"Written to {path} after VOLUME in line {first.line}", on(dockerfile, each)) for each in late
        )
        if not late:
            yield holds(f"VOLUME names {path}, and nothing is written there later", on(dockerfile, first))

    @part
    def tried(self, volumes: tuple[Volume, ...]) -> Iterator[Proof]:
        """The user writes there, however it is mounted."""
        if not volumes:
            yield unknown("No mount of the logs folder was tried")
        for each in volumes:
            told, place = f"{each.kind} mount, {each.owner} {each.mode}", Place(subject=f"{each.kind} mount")
            yield broken(f"{told}: {each.error}", place) if each.error else holds(f"{told}: written", place)


def _writes(instruction: Instruction, path: str) -> bool:
    """Whether an instruction puts something into a folder."""
    if instruction.keyword == "RUN":
        texts = (instruction.arguments, *(each.body for each in instruction.heredocs))
        return any(re.search(rf"{re.escape(path)}(?![\w.-])", each) for each in texts)
    words = instruction.expanded or instruction.words
    return instruction.keyword in ("COPY", "ADD") and bool(words) and below(words[-1], path)


class RunContract(Rule):
    """A start needs a key, a port and a place for logs: nothing else is published, and without the key there is none.

    A service that starts without its key serves everybody. A port that is published without an address is open on
    every interface of the host, past most firewalls. A port that is exposed and not served hides what is.

    Remedy: `EXPOSE 8000` alone; publish with `127.0.0.1:8000:8000`; mount the logs folder; end with one line that names
    the key when there is none.
    """

    id = "SEED-13"
    title = "Run contract: key, port, logs"
    severity = Severity.HIGH
    references = ("CIS 5.9", "CIS 5.14", "OWASP Docker 5a")

    @part
    def port(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """One port is exposed, and it is the service's."""
        if not ours(image, settings):
            yield _foreign(image, settings)
            return
        ports, wanted = sorted(table(image, "ExposedPorts")), f"{settings.run.container_port}/tcp"
        told, place = f"Config.ExposedPorts is {', '.join(ports) or 'empty'}", key("ExposedPorts")
        yield holds(told, place) if ports == [wanted] else broken(f"{told}; {wanted} alone is wanted", place)

    @part
    def started(self, inspect: Mapping[str, Any], settings: Settings) -> Iterator[Proof]:
        """The container that runs as in production."""
        target = settings.run.logs_target
        mounts = [each for each in inspect.get("Mounts") or () if each.get("Destination") == target]
        place = Place(subject="Mounts")
        for each in mounts:
            told = f"{target} is a {each.get('Type')} mount"
            yield holds(told, place) if each.get("RW") else broken(f"{told}, read-only", place)
        if not mounts:
            yield broken(f"Nothing is mounted at {target}", place)
        yield from _published(inspect)

    @part
    def without_key(self, keys: Keys) -> Iterator[Proof]:
        """Without a key it ends, and says why."""
        output, place = keys.none.output, Place(subject="start without a key")
        told = f"Without a key it exits {keys.none.code}: {' '.join(output.split())[:160]}"
        if keys.none.code in WENT_ON:
            yield broken(f"{told}; an end with an error is wanted", place)
        elif "Traceback" in output or "key" not in output.lower():
            yield broken(f"{told}; one line that names the key is wanted", place)
        else:
            yield holds(told, place)

    @part
    def with_key(self, smoke: tuple[Result, ...]) -> Iterator[Proof]:
        """With one it serves."""
        if not smoke:
            yield unknown("No probe was sent")
        say = {"pass": holds, "fail": broken, "not-run": unknown}
        for each in smoke:
            yield say[each.verdict](f"{each.probe}: {each.evidence}", Place(subject=each.probe))


def _published(inspect: Mapping[str, Any]) -> Iterator[Proof]:
    """Judge the addresses of published ports."""
    bound = (inspect.get("HostConfig") or {}).get("PortBindings") or {}
    place = Place(subject="HostConfig.PortBindings")
    for port, hosts in bound.items():
        for address in [each.get("HostIp") or "" for each in hosts or ()] or [""]:
            told = f"{port} is published on `{address}`"
            yield broken(f"{told}: every interface", place) if address in ANY_ADDRESS else holds(told, place)
    if not bound:
        yield broken("No port is published", place)
