"""Two builds from copies that differ as two checkouts do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard import context
from dockyard.build.workshop import Built, Workshop
from dockyard.dockerfile import parse
from dockyard.engines import Engine
from dockyard.plan import BuildPlan
from dockyard.reproduce import How, build_beside, build_twice
from images import file, saved, streamed
from support import BASE, FakeDaemon

EPOCH = 1_700_000_000
DOCKERFILE = f"FROM {BASE}\nCOPY app /app\n"


@pytest.fixture
def shop(project, recorder):
    """The workshop of a project with one script, which only its owner may read."""
    (project / "app").mkdir()
    (project / "app/run.sh").write_text("true")
    (project / "app/run.sh").chmod(0o700)
    (project / "app/link").symlink_to("run.sh")
    (project / "Dockerfile").write_text(DOCKERFILE)
    plan = BuildPlan(
        context=project,
        dockerfile=project / "Dockerfile",
        python="3.12",
        base=BASE,
        tags=("tiny-service:prod",),
        args={"A": "1"},
        labels={},
        secrets={},
        epoch=EPOCH,
    )
    return Workshop(
        plan=plan,
        dockerfile=parse(DOCKERFILE),
        ignore=context.Ignore(),
        engine=Engine(recorder.buildx, FakeDaemon(recorder)),
    )


@pytest.fixture
def builds(monkeypatch):
    """What each build was given; every one makes an image of its context's script."""
    seen = []

    def build(self, folder, **changed):
        script = folder / "app/run.sh"
        paths = [path for path in [folder, *folder.rglob("*")] if not path.is_symlink()]
        seen.append(
            {
                "folder": folder,
                "options": changed,
                "times": {path.lstat().st_mtime for path in folder.rglob("*")},
                "modes": {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777 for path in paths},
            }
        )
        Path(changed["output"]["dest"]).write_bytes(saved([file("app/run.sh", mode=script.stat().st_mode & 0o777)]))
        return Built(seconds=1.5)

    monkeypatch.setattr(Workshop, "build", build)
    return seen


def test_twice(shop, builds):
    """The copies differ in their folder, rights and times; what is asked of BuildKit does not, but for the target."""
    rebuilt = build_twice(shop)

    one, other = builds
    assert one["folder"] != other["folder"]
    assert (one["modes"]["app/run.sh"], other["modes"]["app/run.sh"]) == (0o755, 0o700)
    assert one["times"].isdisjoint(other["times"])
    assert all(moment > EPOCH for moment in one["times"] | other["times"])
    for build in builds:
        assert build["options"]["cache"] is False
        assert build["options"]["build_args"] == {"A": "1", "SOURCE_DATE_EPOCH": str(EPOCH)}
        assert build["options"]["output"]["rewrite-timestamp"] == "true"
    assert rebuilt.seconds == (1.5, 1.5)
    (difference,) = rebuilt.comparison.differences
    assert (difference.subject, difference.seen.how) == ("/app/run.sh", How.MODE)
    assert difference.place
    assert (difference.place.line, difference.place.instruction) == (0, "RUN step 0")


def test_named_as_written(shop, recorder):
    """The steps of a trial have the names of the Dockerfile, where something stands in the place of its base, too."""
    vertex = {"digest": "sha256:1", "name": f"[context {BASE}] other", "started": "1", "completed": "1"}
    recorder.answer("buildx build", error=json.dumps({"vertexes": [vertex]}) + "\n")
    replaced = replace(shop, plan=replace(shop.plan, images={BASE: "other"}))

    assert [each.name for each in replaced.build(shop.plan.context).steps] == [f"[1/2] FROM {BASE}"]


def test_nothing_is_left(shop, builds):
    """The copies and the archives go when the comparison is done, and the project's files stay as they were."""
    before = {path: path.lstat() for path in shop.plan.context.rglob("*")}
    build_twice(shop)

    assert not any(build["folder"].exists() or Path(build["options"]["output"]["dest"]).exists() for build in builds)
    after = {path: path.lstat() for path in shop.plan.context.rglob("*")}
    kept = [{path: (told.st_mode, told.st_mtime_ns) for path, told in each.items()} for each in (before, after)]
    assert kept[0] == kept[1]


def test_beside(shop, builds):
    """Another's image is compared with one build, which has the rights of the checkout and the time of the commit."""
    other = saved([file("app/run.sh", mode=0o700, mtime=1)])
    rebuilt = build_beside(shop, lambda: streamed(other))

    (build,) = builds
    assert build["times"] == {EPOCH}
    assert [each.seen.how for each in rebuilt.comparison.differences] == [How.MTIME]
