from __future__ import annotations

from dataclasses import asdict

import pytest

from dockyard.engines import Engine
from dockyard.errors import EngineError, SettingsError
from dockyard.run.releases import Release, Releases, read, row
from dockyard.state import State
from support import IMAGE, FakeDaemon, sentences


def release(number: int, **changed) -> Release:
    """A good release of an image of its own."""
    known = {"name": "api-prod", "image": f"{IMAGE}:prod", "digest": f"sha256:{number:06x}aa", "revision": "c0ffee"}
    known |= {"tag": f"{IMAGE}:release-{number}", "version": "1", "plan": {"memory": "512m"}, "fingerprint": "f"}
    return Release(**{**known, "number": number, **changed})


@pytest.fixture
def releases(tmp_path):
    """The releases of api-prod: none yet."""
    return Releases(State(tmp_path / ".dockyard"), "api-prod")


def laid(releases: Releases, *given: Release) -> None:
    """Write releases down."""
    for each in given:
        releases.write(each)


def verdicts(releases: Releases) -> dict[int, str]:
    """What is thought of each."""
    return {each.number: each.verdict for each in releases.all()}


def test_written(releases):
    """A release is read as it was written; what a later version added is left out."""
    given = release(1, checks=({"probe": "health"},), outage={"failed": 1})
    releases.write(given)

    (found,) = releases.all()
    assert asdict(found) == {**asdict(given), "checks": [{"probe": "health"}], "asked": []}
    assert read({**asdict(given), "colour": "red"}) == given


def test_of_its_name(releases, tmp_path):
    """Containers of other names have releases of their own, and numbers are shared."""
    laid(releases, release(1), release(2, name="other"))

    assert list(verdicts(releases)) == [1]
    assert [each.number for each in Releases(State(tmp_path / ".dockyard"), "other").all()] == [2]


@pytest.mark.parametrize(
    ("numbers", "tags", "wanted"),
    [((), (), 1), ((1, 3), (), 4), ((), ("release-7",), 8), ((9,), ("release-7", "prod", "release-x"), 10)],
)
def test_next_number(releases, recorder, numbers, tags, wanted):
    """The next number is above every record's and every tag's."""
    laid(releases, *(release(number) for number in numbers))
    daemon = FakeDaemon(recorder, images=[f"{IMAGE}:{tag}" for tag in tags])

    assert releases.next_number(IMAGE, Engine(recorder.buildx, daemon)) == wanted


def test_previous(releases):
    """The one before is the newest good one of another image or other settings."""
    laid(
        releases,
        release(1),
        release(2),
        release(3, verdict="failed"),
        release(4, verdict="rolled back"),
        release(5),
        release(6, digest=release(5).digest),
    )
    assert releases.previous(6, release(5).digest).number == 2
    assert releases.previous(2, release(2).digest).number == 1

    releases.write(release(7, digest=release(5).digest, fingerprint="g"))
    assert releases.previous(7, release(5).digest).number == 6


def test_previous_of_a_stranger(releases):
    """A container that is no release goes back to the newest good one of another image."""
    laid(releases, release(1), release(2))

    assert releases.previous(0, "sha256:other").number == 2
    assert releases.previous(0, release(2).digest).number == 1


def test_no_previous(releases):
    """Where there is nothing to go back to, that is said with the way to see what there is."""
    releases.write(release(1))
    with pytest.raises(EngineError) as caught:
        releases.previous(1, release(1).digest)

    assert "invoke rollback --list" in sentences(caught.value)[2]


def test_walk_back(releases):
    """Going back again and again never returns to what was gone back from, and ends at the oldest."""
    laid(releases, release(1), release(2), release(3))
    releases.conclude(release(4, origin=2, digest=release(2).digest))
    assert verdicts(releases) == {1: "good", 2: "good", 3: "rolled back", 4: "good"}

    assert releases.previous(4, release(2).digest).number == 1
    releases.conclude(release(5, origin=1, digest=release(1).digest))
    assert verdicts(releases) == {1: "good", 2: "rolled back", 3: "rolled back", 4: "rolled back", 5: "good"}
    with pytest.raises(EngineError):
        releases.previous(5, release(1).digest)


def test_new_after_rollback(releases):
    """A new release after a rollback goes back to what ran before it."""
    laid(releases, release(1), release(2))
    releases.conclude(release(3, origin=1, digest=release(1).digest))
    releases.conclude(release(4))

    assert releases.previous(4, release(4).digest).number == 3


@pytest.mark.parametrize(("wanted", "number"), [("2", 2), ("sha256:000002aa", 2), ("000001", 1)])
def test_find(releases, wanted, number):
    """A release is found by its number, or by a digest's first digits."""
    laid(releases, release(1), release(2))

    assert releases.find(wanted).number == number


@pytest.mark.parametrize(("wanted", "told"), [("3", "no release"), ("00000", "no release"), ("", "no release")])
def test_find_nothing(releases, wanted, told):
    """What names none is refused, with those that there are."""
    laid(releases, release(1), release(2))
    with pytest.raises(SettingsError) as caught:
        releases.find(wanted)

    what, why, _ = sentences(caught.value)
    assert told in what
    assert "There are: 1, 2." in why


def test_find_several(releases):
    """A digest's beginning that fits several images is refused."""
    laid(releases, release(1, digest="sha256:abcdef11"), release(2, digest="sha256:abcdef22"))

    with pytest.raises(SettingsError, match="several releases"):
        releases.find("abcdef")


def test_prune(releases, recorder):
    """All but the newest go, with the names of their images; what failed or only came back counts for nothing."""
    laid(releases, *(release(number) for number in (1, 2, 4, 5)), release(3, verdict="failed"), release(6, origin=5))
    daemon = FakeDaemon(recorder, images=[f"{IMAGE}:release-{number}" for number in (1, 2, 4, 5)])
    releases.prune(2, Engine(recorder.buildx, daemon))

    assert list(verdicts(releases)) == [4, 5, 6]
    assert recorder.calls == [["image", "rm", "--force", f"{IMAGE}:release-{number}"] for number in (1, 2)]


def test_row():
    """A line of the list holds what the release knows, and what only the engine knows."""
    told = row(release(3, origin=1), runs=True, here=False)

    assert (told.number, told.origin, told.runs, told.here) == (3, 1, True, False)
    assert told.digest == release(3).digest
