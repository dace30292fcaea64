"""IMG-14: what BuildKit itself has against the Dockerfile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.observed import Ran
    from dockyard.audit.verdict import Proof
    from dockyard.dockerfile import Dockerfile

# WARNING: JSONArgsRecommended - https://…, a sentence, then Dockerfile:7
WARNING = re.compile(r"^WARNING: (?P<name>\w+)[^\n]*\n(?P<told>[^\n]*)(?:\n[^\s:]+:(?P<line>\d+))?", re.MULTILINE)


class BuildCheck(Rule):
    """BuildKit's own checks of the Dockerfile find nothing.

    They are made by those who make the Dockerfile's language, know its newest instructions, and look for what will be
    an error in a coming release. `docker buildx build --check` runs them from buildx 0.15 on; with an older one this
    rule is not run.

    Remedy: mend what `docker buildx build --check .` prints; each warning has a page that says how.
    """

    id = "IMG-14"
    title = "BuildKit's own checks find nothing"
    severity = Severity.LOW
    references = ("BuildKit build checks",)

    @part
    def warnings(self, build_check: Ran, dockerfile: Dockerfile) -> Iterator[Proof]:
        """Each warning, at its line."""
        found = list(WARNING.finditer(build_check.output))
        for each in found:
            place = Place(subject=each["name"], file=dockerfile.name, line=int(each["line"] or 0))
            yield broken(f"{each['name']}: {each['told']}", place)
        if not found:
            place = Place(subject=build_check.command, file=dockerfile.name)
            told = (build_check.output.strip().splitlines() or ["no output"])[-1]
            yield holds(f"{build_check.command}: {told}", place) if build_check.code == 0 else unknown(told, place)
