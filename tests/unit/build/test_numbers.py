from __future__ import annotations

import pytest

from dockyard.build.numbers import as_numbered
from support import bare_plan

STAGES = "FROM tools AS builder\nRUN a\nFROM base\nRUN b\nFROM builder AS last\nRUN c\n"


@pytest.fixture
def numbered(tmp_path):
    """Give a step's name its number, in a build of a Dockerfile in which images are replaced."""

    def numbered(text: str, name: str, *replaced: str, how: str = "images") -> str:
        (tmp_path / "Dockerfile").write_text(text)
        plan = bare_plan(tmp_path, **{how: dict.fromkeys(replaced, "other")})
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
        ("[context tools] other", "[context tools] other"),
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


def test_taken_by_its_name(numbered):
    """An image that is taken by its own name has no context, and its FROM is counted."""
    assert numbered("FROM other\nRUN a\n", "[2/2] RUN a", "other") == "[2/2] RUN a"
