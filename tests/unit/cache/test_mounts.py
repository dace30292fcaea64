"""The cache mounts of a Dockerfile, and the name of what is in them."""

from __future__ import annotations

import pytest

from dockyard.cache.key import key, locks, prefix
from dockyard.cache.mounts import CacheMount, cache_mounts, left_out
from dockyard.dockerfile import parse
from dockyard.settings import load

TEXT = """
FROM base AS other
RUN --mount=type=cache,target=/other true
FROM base AS tools
RUN --mount=type=cache,target=/root/.cache/none true
FROM base AS builder
COPY lock.txt ./
ADD more/*.txt ./
COPY --from=tools /a /a
RUN --mount=type=cache,target=/root/.cache/uv/ --mount=type=secret,id=ca uv sync
RUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/root/.cache/uv true
COPY src src
FROM base
RUN --mount=type=cache,from=tools,target=/begun --mount=type=cache,id=apt,target=/apt,uid=1000,gid=7,mode=700 true
COPY --from=builder /opt /opt
"""


@pytest.fixture
def told(project):
    """The settings of a project with that Dockerfile, and the file, read."""

    def told(text=TEXT, **given):
        for name, content in {"lock.txt": "1", "more/a.txt": "2", "src/main.py": "3", "other": "4"}.items():
            path = project / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        (project / "Dockerfile").write_text(text)
        tree = parse(text.encode(), name="Dockerfile")
        return load(given, start=project, environment={}).settings, tree, tree.final

    return told


def test_mounts(told):
    """Each is there once, by id and owner, of the stages that are built; one that begins with files is left out."""
    _, tree, target = told()
    assert cache_mounts(tree, target) == (
        CacheMount(id="/root/.cache/none", owner={}, target="/root/.cache/none", lines=(5,)),
        CacheMount(id="/root/.cache/uv", owner={}, target="/root/.cache/uv/", lines=(10, 11)),
        CacheMount(id="apt", owner={}, target="/var/cache/apt", lines=(11,)),
        CacheMount(id="apt", owner={"uid": "1000", "gid": "7", "mode": "700"}, target="/apt", lines=(14,)),
    )


@pytest.mark.parametrize(
    ("mount", "flag"),
    [
        (
            CacheMount(id="/c", owner={}, target="/c", lines=()),
            "--mount=type=cache,id=/c,target=/here,sharing=locked",
        ),
        (
            CacheMount(id="c", owner={"uid": "1", "mode": "700"}, target="/c", lines=()),
            "--mount=type=cache,id=c,target=/here,sharing=locked,uid=1,mode=700",
        ),
        (
            CacheMount(id='a,b "$c"', owner={}, target="/c", lines=()),
            '--mount=type=cache,"id=a,b ""\\$c""",target=/here,sharing=locked',
        ),
        (
            CacheMount(
                id="c", owner={}, target="/c", lines=(), image="tools:1", begins="tools:1@sha256:a", source="/s"
            ),
            "--mount=type=cache,id=c,target=/here,sharing=locked,from=tools:1,source=/s",
        ),
    ],
)
def test_flag(mount, flag):
    """The same mount is asked for at another place: alone, with its owner, and by its id as it is."""
    assert mount.flag("/here") == flag


BEGUN = """
FROM base AS tools
FROM base
COPY lock.txt ./
RUN --mount=type=cache,id=one,from=image:1,source=/seed,target=/one true
RUN --mount=type=cache,id=two,from=other:1,target=/two --mount=type=cache,id=three,from=Tools,target=/three true
RUN --mount=type=cache,id=four,from=scratch,target=/four true
"""


def held(digest="a"):
    """Hold one image to a digest."""
    return lambda name: f"{name}@{digest}" if name == "image:1" else ""


def test_begun(told):
    """A mount that begins with files is carried if these are an image's that is held to its digest; others are told."""
    _, tree, target = told(BEGUN)
    one, four = cache_mounts(tree, target, held())
    assert (one.id, one.image, one.begins, one.source) == ("one", "image:1", "image:1@a", "/seed")
    assert (four.id, four.identity) == ("four", ("four", "", "", ""))
    assert one.identity != cache_mounts(tree, target, held("b"))[0].identity

    two, three = left_out(tree, target, held())
    assert (two.id, two.todo) == ("two", "Run `invoke pin`.")
    assert "the files of other:1, which is not pinned" in two.why
    assert (three.id, "the files of the stage Tools" in three.why) == ("three", True)


def test_hidden_by_a_stage(told):
    """An image that a build does not take by its pin, since a stage has its name, is none that is held."""
    _, tree, target = told("FROM image:1 AS image\nRUN --mount=type=cache,from=image:latest,target=/c true\n")
    assert cache_mounts(tree, target, lambda name: f"{name}@a") == ()
    assert [each.id for each in left_out(tree, target, lambda name: f"{name}@a")] == ["/c"]


def test_key_of_begun(told):
    """The name changes with the image that a mount begins with."""
    given = told(BEGUN)
    assert len({key(*given), key(*given, held("a")), key(*given, held("b"))}) == 3


def test_locks(told):
    """What is copied before the steps with mounts counts; the sources, and what comes from a stage, do not."""
    assert locks(*told()) == ("lock.txt", "more/a.txt")


def test_key_of_locks(told, project):
    """The name changes with a lock, and not with the sources."""
    given = told()
    first = key(*given)
    (project / "src/main.py").write_text("changed")
    (project / "other").write_text("changed")
    assert key(*given) == first
    (project / "lock.txt").write_text("changed")
    assert key(*given) != first


def test_key_of_mounts(told):
    """The name changes with the mounts, and begins with the image, the Python and the machine."""
    first = key(*told())
    assert key(*told(TEXT.replace("id=apt", "id=deb"))) != first
    settings = told(**{"python": "3.13", "build.platforms": ["linux/arm64"]})[0]
    assert prefix(settings) == "mounts-tiny-service-py3.13-linux-arm64-"
    assert first.startswith(prefix(told()[0]))
