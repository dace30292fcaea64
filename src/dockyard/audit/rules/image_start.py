"""IMG-08 and IMG-09: how the image starts, and habits of its Dockerfile."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import at, key, program, text, words
from dockyard.audit.facts.instructions import SHELLS, commands, last, on, shell_script, shipped
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.verdict import Proof
    from dockyard.dockerfile import Dockerfile, Instruction, Stage
    from dockyard.image import Image
    from dockyard.settings import Settings

INITS = frozenset({"tini", "tini-static", "dumb-init", "docker-init", "catatonit"})
SHELL_LINE = re.compile(r"#!\s*(\S*/env\s+(-\S+\s+)*)?(\S*/)?(ba|da|a|z|k)?sh\b")
EXEC = re.compile(r"(?m)(^|;|&&|\bthen|\belse)\s*exec\s+[^<>&\s\d]")
ABSOLUTE = re.compile(r"[/$]|[A-Za-z]:[/\\]|\\")
ARCHIVE = re.compile(r".*\.(tar|tar\.\w+|tgz|tbz2?|txz|tzst)[\"']?", re.IGNORECASE)
REMOTE = re.compile(r"(https?|ftp|git|ssh)://|git@|.*\.git(#|$)", re.IGNORECASE)
ONCE = ("CMD", "ENTRYPOINT", "HEALTHCHECK")
UPDATES = {"apt": ("update",), "apt-get": ("update",), "apk": ("update",), "yum": ("makecache",), "dnf": ("makecache",)}
INSTALLS = ("install", "add", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "satisfy")
MAX_PORT = 65535


class ExecForm(Rule):
    """The image starts its program itself: ENTRYPOINT and CMD in exec form, and no shell as PID 1.

    SIGTERM goes to PID 1. A shell there does not pass it on: the service is killed after the grace without having
    finished its requests. A wrapper script is fine if it ends with `exec`, which puts the program in its place.

    Remedy: `CMD ["python", "-m", "service"]`; end a wrapper script with `exec "$@"`.
    """

    id = "IMG-08"
    title = "Exec form, no shell as PID 1"
    severity = Severity.HIGH
    references = ("hadolint DL3025", "BuildKit JSONArgsRecommended")

    @part
    def configured(self, image: Image) -> Iterator[Proof]:
        """What the engine starts."""
        argv, place = started(image), key("Entrypoint" if words(image, "Entrypoint") else "Cmd")
        if not argv:
            yield unknown("The image names no command: whoever starts it must", place)
        elif shell_script(argv) is not None:
            yield broken(f"PID 1 is the shell of `{' '.join(argv)[:100]}`", place)
        else:
            yield from _program(image, argv, place)

    @part
    def written(self, dockerfile: Dockerfile, settings: Settings) -> Iterator[Proof]:
        """What the Dockerfile says."""
        found = [last(shipped(dockerfile, settings), keyword) for keyword in ("ENTRYPOINT", "CMD")]
        for instruction in found:
            if instruction is not None:
                told, place = (
                    f"{instruction.keyword} is in {instruction.form or 'shell'} form",
                    on(dockerfile, instruction),
                )
                yield holds(told, place) if instruction.form == "exec" else broken(told, place)
        if not any(found):
            yield holds("The Dockerfile leaves ENTRYPOINT and CMD to its base", Place(subject="CMD"))


def started(image: Image) -> tuple[str, ...]:
    """Return the words of what runs, without an init that only passes signals on."""
    argv = (*words(image, "Entrypoint"), *words(image, "Cmd"))
    if argv and posixpath.basename(argv[0]) in INITS:
        if "--" in argv:
            return argv[argv.index("--") + 1 :]
        rest = [index for index, word in enumerate(argv[1:], 1) if not word.startswith("-")]
        return argv[rest[0] :] if rest else ()
    return argv


def _program(image: Image, argv: tuple[str, ...], place: Place) -> Iterator[Proof]:
    """Judge the program: a shell's script must give its place away."""
    entry = program(image, argv[0])
    if entry is None:
        yield broken(f"`{argv[0]}` is no program of the image", place)
        return
    shell = posixpath.basename(argv[0]) in SHELLS
    script = image.resolve(posixpath.join("/", text(image, "WorkingDir"), argv[1])) if shell and argv[1:] else entry
    content = image.read(script.path) if script else None
    code = (content or b"").decode("utf-8", "replace")
    if script and content is not None and (script != entry or SHELL_LINE.match(code)):
        told = f"{script.path} is a shell's script"
        ends = EXEC.search(code)
        yield (
            holds(f"{told} with exec", at(script)) if ends else broken(f"{told}, and the shell stays PID 1", at(script))
        )
    elif shell:
        yield broken(f"PID 1 is the shell {entry.path}", place)
    else:
        yield holds(f"PID 1 is {entry.path}, of `{' '.join(argv)[:100]}`", place)


class Hygiene(Rule):
    """The Dockerfile keeps to what makes builds plain to read and their layers fresh.

    A relative WORKDIR depends on the base; ADD fetches and unpacks unasked; `apt-get update` in a layer of its own is
    cached, and months later installs from an old list; of several CMD, ENTRYPOINT or HEALTHCHECK of a stage only
    the last counts; sudo has no use in a build that is root.

    Remedy: absolute WORKDIR, COPY for files and `ADD --checksum=…` for addresses, `apt-get update && apt-get install`
    in one RUN, one of each.
    """

    id = "IMG-09"
    title = "Dockerfile hygiene"
    severity = Severity.LOW
    references = (
        "CIS 4.7", "CIS 4.9", "hadolint DL3000", "hadolint DL3004", "hadolint DL3012", "hadolint DL3020",
        "Trivy DS-0005", "Trivy DS-0017", "BuildKit WorkdirRelativePath",
    )  # fmt: skip

    @part
    def instructions(self, dockerfile: Dockerfile) -> Iterator[Proof]:
        """Each instruction for itself."""
        clean = True
        for instruction in dockerfile.instructions:
            for fault in _faults(instruction):
                clean = False
                yield broken(fault, on(dockerfile, instruction))
        if clean:
            yield holds(f"{len(dockerfile.instructions)} instructions: paths, copies, packages and ports are as wanted")

    @part
    def once(self, dockerfile: Dockerfile) -> Iterator[Proof]:
        """What counts once stands once."""
        clean = True
        for stage in dockerfile.stages:
            for instruction, keyword in _repeated(stage):
                clean = False
                yield broken(
                    f"The stage has another {keyword} above; only the last counts", on(dockerfile, instruction)
                )
        if clean:
            yield holds(f"At most one CMD, ENTRYPOINT and HEALTHCHECK in each of {len(dockerfile.stages)} stages")


def _repeated(stage: Stage) -> Iterator[tuple[Instruction, str]]:
    for keyword in ONCE:
        found = [each for each in stage.instructions if each.keyword == keyword]
        yield from ((each, keyword) for each in found[1:])


def _faults(instruction: Instruction) -> Iterator[str]:
    """Yield what is wrong with an instruction."""
    found = instruction.expanded or instruction.words
    if instruction.keyword == "WORKDIR" and not ABSOLUTE.match(instruction.arguments.strip("\"'")):
        yield f"WORKDIR {instruction.arguments} is relative"
    elif instruction.keyword == "ADD":
        yield from _added(instruction, found[:-1])
    elif instruction.keyword == "EXPOSE":
        yield from (f"EXPOSE {word} is no port" for word in found if not _is_port(word))
    elif instruction.keyword == "RUN":
        yield from _ran(instruction)


def _added(instruction: Instruction, sources: tuple[str, ...]) -> Iterator[str]:
    for source in sources:
        if REMOTE.match(source):
            if not (instruction.flag("checksum") or source.partition("#")[0].endswith(".git")):
                yield f"ADD fetches {_without_user(source)} without --checksum"
        elif not (ARCHIVE.fullmatch(source) or source.startswith("<<")):
            yield f"ADD of {source}, where COPY would do"


def _without_user(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)


def _is_port(word: str) -> bool:
    if "$" in word:
        return True
    ports, _, protocol = word.strip("\"'").partition("/")
    numbers = ports.split("-")
    known = protocol.lower() in ("", "tcp", "udp", "sctp")
    return known and len(numbers) <= 2 and all(each.isdigit() and 0 < int(each) <= MAX_PORT for each in numbers)  # noqa: PLR2004


def _ran(instruction: Instruction) -> Iterator[str]:
    run = [(posixpath.basename(each[0]), each[1:]) for each in commands(instruction)]
    if any(name == "sudo" for name, _ in run):
        yield "RUN uses sudo"
    updates = [name for name, rest in run if any(each in UPDATES.get(name, ()) for each in rest)]
    installs = any(each in INSTALLS for name, rest in run if name in UPDATES for each in rest)
    if updates and not installs:
        yield f"RUN {updates[0]} update installs nothing, so its lists are cached and grow old"
