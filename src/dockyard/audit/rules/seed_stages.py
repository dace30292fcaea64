"""SEED-06: what builds is not what ships."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.instructions import commands, on, shipped, shipped_stage
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.facts.instructions import Command
    from dockyard.audit.verdict import Proof
    from dockyard.dockerfile import Dockerfile
    from dockyard.image import Image
    from dockyard.settings import Settings

INSTALLER = re.compile(
    r"(pip|pip3|pip\d\.\d+|pipx|uvx?|poetry|pdm|pipenv|hatch|ensurepip|easy_install(-[\d.]+)?|conda|mamba|micromamba"
    r"|apt|apt-get|aptitude|dpkg|apk|yum|dnf|microdnf|tdnf|zypper|rpm|npm|npx|yarn|pnpm|bun|gem|cargo|brew)"
)
INSTALLING = frozenset({
    "install", "add", "sync", "update", "upgrade", "dist-upgrade", "full-upgrade", "ci", "i", "download", "wheel",
    "ensurepip", "pip", "run", "build", "create", "-i", "--install", "-U",
})  # fmt: skip
HARMLESS = frozenset({
    "uninstall", "remove", "purge", "autoremove", "autoclean", "clean", "cache", "check", "list", "show", "freeze",
    "config", "del", "-r", "--remove", "-P", "--purge", "-l", "--list", "-s", "-L", "-S", "--version", "-V", "-q",
})  # fmt: skip
TALKING = frozenset({"echo", "printf", "test", "[", "rm", "ls", "cat", "find", "chmod", "chown"})
# What the history of an image lists; ARG comes and goes with the builder.
LISTED = frozenset({
    "ADD", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL", "USER", "VOLUME",
    "WORKDIR",
})  # fmt: skip
# BuildKit writes the instruction, the older builder `/bin/sh -c #(nop)  CMD …`, and of RUN the command alone.
STEP = re.compile(r"(?:/bin/sh -c #\(nop\)\s+)?(?P<keyword>[A-Z]+)\s|(?P<run>(?:\|\d+ .*)?/bin/sh -c )", re.DOTALL)


def installer(words: Command) -> str | None:
    """Return the package installer that a command runs, itself or through another program."""
    if not words or words[0] in TALKING:
        return None
    for index, word in enumerate(words):
        name = posixpath.basename(word)
        if not INSTALLER.fullmatch(name):
            continue
        after = words[index + 1 : index + 3]
        as_module = index > 0 and words[index - 1] == "-m"
        runs = index == 0 or as_module or any(each in INSTALLING for each in after)
        if runs and not any(each in HARMLESS for each in after):
            return name
    return None


class SplitStages(Rule):
    """The image is made in two stages at least: what installs and compiles stays behind, named results are copied.

    A final stage that runs pip or apt itself has the installer, its caches and whatever it pulled in. Copying `/` from
    the builder brings all of that over, and makes two stages one.

    Remedy: install into a folder of the builder stage, for instance `/opt/venv`, and `COPY --from=builder` that folder.
    """

    id = "SEED-06"
    title = "Real builder and runner stages"
    severity = Severity.MEDIUM
    references = ("CIS 4.3", "hadolint DL3067", "NIST 800-190 4.1.2")

    @part
    def stages(self, dockerfile: Dockerfile, settings: Settings) -> Iterator[Proof]:
        """The shipped stage takes something from another one."""
        stage = shipped_stage(dockerfile, settings)
        place = on(dockerfile, stage.instructions[0])
        count = len(dockerfile.stages)
        others = stage.uses - {stage.parent}
        if count > 1 and others:
            yield holds(f"{count} stages; the shipped one takes files from {len(others)} other", place)
        else:
            yield broken(f"{count} stage(s), and the shipped one takes no files from another", place)

    @part
    def installers(self, dockerfile: Dockerfile, settings: Settings) -> Iterator[Proof]:
        """No RUN of the shipped image installs packages."""
        clean = True
        runs = [each for each in shipped(dockerfile, settings) if each.keyword == "RUN"]
        for instruction in runs:
            found = dict.fromkeys(name for words in commands(instruction) if (name := installer(words)))
            for name in found:
                clean = False
                yield broken(f"The shipped stage runs the installer {name}", on(dockerfile, instruction))
        if clean:
            yield holds(f"None of the shipped image's {len(runs)} RUN installs packages", Place(subject="RUN"))

    @part
    def copies(self, dockerfile: Dockerfile, settings: Settings) -> Iterator[Proof]:
        """What comes from another stage is named."""
        copies = [each for each in shipped(dockerfile, settings) if each.keyword == "COPY" and each.flag("from")]
        for instruction in copies:
            taken = (instruction.expanded or instruction.words)[:-1]
            told = f"COPY --from={instruction.flag('from')} takes {', '.join(taken)}"
            place = on(dockerfile, instruction)
            yield broken(f"{told}: everything", place) if any(map(_all, taken)) else holds(told, place)
        if not copies:
            yield holds("Nothing is copied from another stage", Place(subject="COPY"))

    @part
    def history(self, dockerfile: Dockerfile, image: Image, settings: Settings) -> Iterator[Proof]:
        """The image was made by that stage, not by another one."""
        wanted = [each.keyword for each in shipped(dockerfile, settings) if each.keyword in LISTED]
        steps = (STEP.match(f"{each.created_by} ") for each in image.history)
        keywords = ("RUN" if step["run"] else step["keyword"] for step in steps if step)
        found = [keyword for keyword in keywords if keyword in LISTED]
        place = Place(subject="history", file=dockerfile.name, line=shipped_stage(dockerfile, settings).line)
        if not wanted or found[-len(wanted) :] == wanted:
            yield holds(f"The image's history ends with the {len(wanted)} instructions of the shipped stage", place)
        else:
            tail = " ".join(found[-len(wanted) :])
            yield broken(
                f"The image's history ends with {tail or 'nothing'}; the shipped stage has {' '.join(wanted)}", place
            )


def _all(source: str) -> bool:
    """Whether a source is the whole file system."""
    return posixpath.normpath(f"/{source.strip()}").strip("/") in ("", "*", "**")
