"""The releases of a container: what ran, of which image, who said so, and how it went; enough of them to go back."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from dockyard.errors import EngineError, SettingsError
from dockyard.plan import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.engines import Engine
    from dockyard.state import State

KIND = "releases"
GOOD, BAD, LEFT = "good", "failed", "rolled back"
FEWEST_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Release:
    """One container that took over, or tried to.

    Attributes:
        number: Counts up; never given twice.
        name: Of the container.
        image: The reference it was asked for by, for instance `house-pricing-api:prod`.
        digest: Of the image, as the engine has it.
        tag: The reference that keeps the image from being pruned.
        origin: The release that this one brought back; 0 if it is a new one.
        plan: Its settings, without the image and without secrets.
        fingerprint: Of the plan.
        verdict: good, failed (it took over and was taken back), or rolled back (somebody went back from it).
        asked: The golden predictions of its time, to be asked again when it comes back.
        checks: What it proved before it took over.
        outage: What was noticed of the swap; empty if there was none.
        why: What it failed of.
    """

    number: int
    name: str
    image: str
    digest: str
    tag: str
    revision: str
    version: str
    plan: Mapping[str, Any]
    fingerprint: str
    time: str = ""
    who: str = ""
    command: str = ""
    origin: int = 0
    verdict: str = GOOD
    asked: tuple[Mapping[str, Any], ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()
    outage: Mapping[str, Any] | None = None
    why: str = ""

    @property
    def source(self) -> int:
        """The number of the release that first had this image and these settings."""
        return self.origin or self.number


@dataclass(frozen=True, kw_only=True)
class Row:
    """A release as `invoke rollback --list` shows it.

    Attributes:
        runs: Whether this one serves now.
        here: Whether its image is still there.
    """

    number: int
    time: str
    digest: str
    version: str
    revision: str
    who: str
    verdict: str
    origin: int
    runs: bool
    here: bool
    outage: Mapping[str, Any] | None


def row(release: Release, *, runs: bool, here: bool) -> Row:
    """Return a release's line."""
    told = {each.name: getattr(release, each.name) for each in fields(Row) if each.name not in {"runs", "here"}}
    return Row(**told, runs=runs, here=here)


def read(record: Mapping[str, Any]) -> Release | None:
    """Return the release of a record, without what later versions added; None if the record is none of a release."""
    known = {each.name for each in fields(Release)}
    try:
        return Release(**{name: value for name, value in record.items() if name in known})
    except TypeError:
        return None


class Releases:
    """The releases of one container, in `.dockyard/releases`.

    Args:
        state: The project's records.
        name: Of the container.
    """

    def __init__(self, state: State, name: str) -> None:
        self._state, self._name = state, name

    def all(self) -> tuple[Release, ...]:
        """Return those of this container, the oldest first."""
        return tuple(each for each in self._every() if each.name == self._name)

    def _every(self) -> list[Release]:
        records = (self._state.read_record(name) for name in self._state.records(KIND))
        return [release for each in records if each for release in [read(each)] if release]

    def next_number(self, project: str, engine: Engine) -> int:
        """Return a number that neither a record nor a tag has, so that a lost folder of records takes no image away."""
        tags = [re.fullmatch(r".*:release-(\d+)", each) for each in engine.daemon.images(f"{PROJECT}={project}")]
        return 1 + max([*(each.number for each in self._every()), *(int(each[1]) for each in tags if each)], default=0)

    def write(self, release: Release) -> None:
        """Write a release, or write it again."""
        self._state.write_record(_file(release), asdict(release))

    def conclude(self, release: Release) -> None:
        """Write a good release down; those that it goes back from are no place to go back to any more."""
        for each in self.all() if release.origin else ():
            if each.verdict == GOOD and release.origin < each.source:
                self.write(replace(each, verdict=LEFT))
        self.write(release)

    def previous(self, running: int, digest: str) -> Release:
        """Return the newest good release before the one that runs, of another image or other settings.

        Args:
            running: The number of the one that runs; 0 if it is none.
            digest: Of the image that runs.

        Raises:
            EngineError: There is none.
        """
        every = self.all()
        now = next((each for each in every if each.number == running), None)
        before = [each for each in every if now is None or each.source < now.source]
        same = (digest, now.fingerprint if now else "")
        good = [each for each in before if each.verdict == GOOD and (each.digest, each.fingerprint) != same]
        if now is None:
            good = [each for each in good if each.digest != digest]
        if good:
            return good[-1]
        raise EngineError(
            f"There is no release of {self._name} to go back to.",
            f"{len(every)} are known, and none of them is good, older and different.",
            "Look at `invoke rollback --list`; `invoke rollback --to NUMBER` takes any of them.",
        )

    def find(self, wanted: str) -> Release:
        """Return a release by its number, or by the beginning of its digest.

        Raises:
            SettingsError: There is none, or the digest fits several images.
        """
        digits = wanted.removeprefix("sha256:")
        every = self.all()
        found = [each for each in every if str(each.number) == wanted]
        if not found and len(digits) >= FEWEST_DIGITS:
            found = [each for each in every if each.digest.removeprefix("sha256:").startswith(digits)]
        if len({each.digest for each in found}) == 1:
            return found[-1]
        told = ", ".join(str(each.number) for each in every) or "none"
        raise SettingsError(
            f"--to {wanted} names {'several releases' if found else 'no release'} of {self._name}.",
            f"There are: {told}. A digest needs its first {FEWEST_DIGITS} digits at least.",
            "Take a number of `invoke rollback --list`.",
        )

    def prune(self, count: int, engine: Engine) -> None:
        """Forget all but the newest, those that only came back not counted; an image goes with its last name."""
        every = self.all()
        kept = [each for each in every if each.verdict != BAD and not each.origin][-count:]
        for each in every:
            if kept and each.number < kept[0].number:
                forget_image(each.tag, engine)
                self._state.remove(_file(each))


def forget_image(tag: str, engine: Engine) -> None:
    """Take a release's name from its image; the image goes if it has no other."""
    if engine.daemon.image(tag):
        engine.buildx.remove_image(tag)


def _file(release: Release) -> str:
    return f"{KIND}/{release.number:06}.json"
