from __future__ import annotations

import pytest

from dockyard.build.numbers import as_numbered
from support import bare_plan

STAGES = "FROM tools AS builder\nRUN a\nFROM base\nRUN b\nFROM builder AS last\nRUN c\n"


@pytest.fixture
def numbered(tmp_path):
    """Give a step's name its number, in a build of a Dockerfile in which images are replaced."""

    def numbered(text: str, name: str, *replaced: str, how: str = "images", target: str = "") -> str:
        (tmp_path / "Dockerfile").write_text(text)
        plan = bare_plan(tmp_path, target=target, **{how: dict.fromkeys(replaced, "other")})
        return as_numbered(plan)(name)

    return numbered


@pytest.mark.parametrize("how", ["images", "lent"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("[builder 1/2] RUN a", "[builder 2/2] RUN a"),
        ("[linux/arm64 builder 1/2] RUN a", "[linux/arm64 builder 2/2] RUN a"),
        ("[stage-1 2/2] RUN b", "[stage-1 2/2] RUN b"),
        ("[last 1/1] RUN c", "[last 1/1] RUN c"),
        ("[internal] load build context", "[internal] load build context"),
        ("[context tools] other", "[builder 1/2] FROM tools"),
        ("[context tools::linux/arm64] OCI load from client", "[builder 1/2] FROM tools"),
        ("[context tools] load metadata for other:1", "[internal] load metadata for other:1"),
        ("[context base] other", "[context base] other"),
        ("exporting to image", "exporting to image"),
    ],
)
def test_stages(numbered, name, told, how):
    """Steps of a stage whose image is replaced count its FROM again; all others keep their names."""
    assert numbered(STAGES, name, "tools", how=how) == told


def test_one_stage(numbered):
    """The only stage may have no name in BuildKit's steps."""
    assert numbered("FROM base\nRUN [1/2]\n", "[1/2] RUN [1/2]", "base") == "[2/2] RUN [1/2]"
    assert numbered("FROM base\nRUN a\n", "[2/2] RUN a", "tools") == "[2/2] RUN a"
    assert numbered("FROM base\nRUN a\n", "[context base] other@sha256:1", "base") == "[1/2] FROM base"
    mounted = "FROM base\nRUN --mount=type=cache,target=/c a\n"
    assert numbered(mounted, "[context base] other", "base") == "[stage-0 1/2] FROM base"


def test_image_by_another_name(numbered):
    """BuildKit names a context without the public registry and the tag that is meant."""
    text = "FROM docker.io/library/base:latest AS first\nFROM first\nRUN a\n"
    told = numbered(text, "[context base] other", "docker.io/library/base:latest")
    assert told == "[first 1/1] FROM docker.io/library/base:latest"


def test_stage_that_is_not_built(numbered):
    """The FROM is that of a stage that is built."""
    text = "FROM base AS one\nRUN a\nFROM base AS two\nRUN b\n"
    assert numbered(text, "[context base] other", "base") == "[two 1/2] FROM base"
    assert numbered(text, "[context base] other", "base", target="one") == "[one 1/2] FROM base"
    assert numbered(text, "[context base] other", "base", target="none") == "[context base] other"


def test_folder(numbered):
    """A folder in the place of a stage's image is no FROM: what is named is its transfer."""
    name = "[context base] load from client"
    assert numbered("FROM base\nRUN a\n", name, "base", how="contexts") == name


def test_taken_by_its_name(numbered):
    """An image that is taken by its own name has no context, and its FROM is counted."""
    assert numbered("FROM other\nRUN a\n", "[2/2] RUN a", "other") == "[2/2] RUN a"
