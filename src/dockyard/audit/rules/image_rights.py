"""IMG-01 to IMG-04: rights that somebody could use against the service."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.accounts import runtime
from dockyard.audit.facts.configured import at, below, key, program, rights, text, words
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.observed import Write
    from dockyard.audit.verdict import Proof
    from dockyard.image import Entry, Image
    from dockyard.settings import Settings

SETID, STICKY, OTHERS_WRITE, GROUP_OR_OTHERS_WRITE = 0o6000, 0o1000, 0o002, 0o022
PACKAGES = re.compile(r"(?P<environment>/.+)/lib(64)?/python\d\.\d+/(site|dist)-packages")


class NoSetuid(Rule):
    """No file of the image is setuid or setgid.

    Such a file runs with its owner's rights whoever starts it: one flaw in it makes the container's user root. Base
    images bring a dozen of them, for accounts and mounts that a container does not have.

    Remedy: `RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +` in the final stage, before `USER`; a file that
    must stay is listed in `setuid` of [tool.dockyard.audit].
    """

    id = "IMG-01"
    title = "No setuid or setgid file"
    severity = Severity.MEDIUM
    references = ("CIS 4.8", "dockle CIS-DI-0008", "OWASP Docker 4")

    @part
    def modes(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """Every file that a container sees."""
        files = [entry for entry in image.files.values() if entry.is_file]
        found = [entry for entry in files if entry.mode & SETID]
        for entry in found:
            kind = "setuid" if entry.mode & 0o4000 else "setgid"
            told = f"{entry.path} is {kind}: {rights(entry)}"
            allowed = entry.path in settings.audit.setuid
            yield holds(f"{told}, as `setuid` allows", at(entry)) if allowed else broken(told, at(entry))
        if not found:
            yield holds(f"None of {len(files)} files is setuid or setgid")


class NoWorldWritable(Rule):
    """Nothing in the image can be written by everybody, except folders with the sticky bit.

    A file that everybody may write is one that an intruder changes and another process trusts. The sticky bit keeps a
    shared folder such as /tmp safe: each may delete only what is his.

    Remedy: `chmod o-w` in the RUN or COPY that makes it (`COPY --chmod=755`), or `chmod 1777` for a shared folder.
    """

    id = "IMG-02"
    title = "Nothing world-writable without the sticky bit"
    severity = Severity.MEDIUM
    references = ("NIST 800-190 4.1.2",)

    @part
    def modes(self, image: Image) -> Iterator[Proof]:
        """Every path; a link has no rights of its own, and devices are made by the engine."""
        judged = [entry for entry in image.files.values() if entry.kind not in ("symlink", "device")]
        found = [entry for entry in judged if entry.mode & OTHERS_WRITE]
        bad = [entry for entry in found if not (entry.kind == "directory" and entry.mode & STICKY)]
        yield from (broken(f"{entry.path} is {rights(entry)}: everybody may write", at(entry)) for entry in bad)
        if not bad:
            sticky = ", ".join(entry.path for entry in found) or "none"
            yield holds(f"None of {len(judged)} paths; shared folders with the sticky bit: {sticky}")


class NoCapabilities(Rule):
    """No file of the image has capabilities of its own.

    A capability on a file is a part of root's power for whoever starts it. Under `no-new-privileges`, or with the
    capability dropped, the program does not start at all.

    Remedy: `RUN setcap -r FILE`, or do not install what sets it (ping, for instance); listen on a port above 1023.
    """

    id = "IMG-03"
    title = "No file capabilities"
    severity = Severity.MEDIUM
    references = ("CIS 5.4", "PSS restricted")

    @part
    def capabilities(self, image: Image) -> Iterator[Proof]:
        """The attribute security.capability of every file that a container sees."""
        found = [entry for entry in image.files.values() if entry.capability]
        for entry in found:
            permitted = int.from_bytes(entry.capability[4:8], "little")
            yield broken(f"{entry.path} has file capabilities: permitted {permitted:#010x}", at(entry))
        if not found:
            yield holds(f"None of {len(image.files)} paths has file capabilities")


class CodeReadOnly(Rule):
    """The service cannot change its own code, packages, configuration or model.

    Who breaks into a process that may write its code stays there after the flaw is mended. Code belongs to root, and
    the service's user owns nothing but its logs. Code is what is in the working folder, in Python's environments, and
    the files that the image's command names.

    Remedy: COPY as root, without `--chown`, and with rights that came with the sources or `--chmod=u=rwX,go=rX`; list
    other folders that the service must write in `writable` of [tool.dockyard.audit].
    """

    id = "IMG-04"
    title = "Code, packages and model read-only for the service"
    severity = Severity.HIGH
    references = ("OWASP Docker 8", "NIST 800-190 4.4.4")

    @part
    def owners(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """What the service's user owns."""
        uid = runtime(image).uid
        if not uid:
            who = "root" if uid == 0 else "somebody the image does not know"
            yield broken(f"The service runs as {who}, who may write everything", key("User"))
            return
        allowed = (settings.run.logs_target, *settings.audit.writable)
        owned = [entry for entry in image.files.values() if entry.uid == uid]
        bad = [entry for entry in owned if not any(below(entry.path, folder) for folder in allowed)]
        yield from (broken(f"{entry.path} is {rights(entry)}: the service's own", at(entry)) for entry in bad)
        if not bad:
            names = ", ".join(entry.path for entry in owned[:3]) or "nothing"
            yield holds(f"Uid {uid} owns {names}{' and more' if len(owned) > 3 else ''}")  # noqa: PLR2004 - as cut above

    @part
    def code(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """Rights of what runs."""
        allowed = (settings.run.logs_target, *settings.audit.writable)
        folders = code_folders(image)
        judged = [entry for entry in image.files.values() if _is_code(entry, folders, allowed)]
        bad = [entry for entry in judged if entry.mode & GROUP_OR_OTHERS_WRITE]
        yield from (
            broken(f"{entry.path} is {rights(entry)}: others than its owner may write", at(entry)) for entry in bad
        )
        if not judged:
            yield unknown("No code was found: no working folder, no Python environment, no file in the command")
        elif not bad:
            yield holds(f"{len(judged)} paths below {', '.join(sorted(folders)[:6])}: only their owners may write")

    @part
    def tried(self, writes: tuple[Write, ...]) -> Iterator[Proof]:
        """Attempts as the service's user, in a running container."""
        if not writes:
            yield unknown("No write was tried")
        for each in writes:
            place = Place(subject=each.path)
            if each.allowed:
                wrote = f"Wrote {each.path}, as is allowed"
                yield (
                    unknown(f"Even {each.path} could not be written: {each.error}")
                    if each.error
                    else holds(wrote, place)
                )
                continue
            yield (
                holds(f"Writing {each.path}: {each.error}", place)
                if each.error
                else broken(f"Wrote {each.path}", place)
            )


def code_folders(image: Image) -> frozenset[str]:
    """Return the folders of code, and the files that the command names."""
    found = set[str]()
    home = posixpath.normpath(text(image, "WorkingDir") or "/")
    if home.strip("/") and home.startswith("/"):
        found.add(home)
    for path in image.files:
        environment = PACKAGES.fullmatch(path)
        if environment:
            found.add(environment["environment"] if _own(environment["environment"], image) else path)
    for word in (*words(image, "Entrypoint"), *words(image, "Cmd")):
        named = image.resolve(posixpath.join(home, word))
        found |= {entry.path for entry in (program(image, word), named) if entry is not None and entry.is_file}
    return frozenset(found)


def _own(environment: str, image: Image) -> bool:
    """Whether a folder is a virtual environment, all of which is code; /usr is not."""
    return f"{environment}/pyvenv.cfg" in image.files


def _is_code(entry: Entry, folders: frozenset[str], allowed: tuple[str, ...]) -> bool:
    if entry.kind in ("symlink", "device") or any(below(entry.path, folder) for folder in allowed):
        return False
    return any(below(entry.path, folder) for folder in folders)
