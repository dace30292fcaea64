from __future__ import annotations

import pytest

from dockyard import context
from dockyard.errors import SettingsError
from dockyard.pipeline.kept_out import keep_state_out
from support import bare_plan, sentences

WHOLE = "FROM base\nARG WHAT=.\nCOPY ${WHAT} /app\n"


@pytest.fixture
def project_opened(opened):
    """A project whose engine is never asked."""
    return opened()


@pytest.fixture
def keep_out(project_opened):
    """Hold a build of a Dockerfile against the .dockerignore beside it; return what is in that afterwards."""
    root = project_opened.settings.root

    def keep_out(text: str, ignored: str | None = None) -> str | None:
        file = root / ".dockerignore"
        if ignored is not None:
            file.write_text(ignored)
        (root / "Dockerfile").write_text(text)
        plan = bare_plan(root)
        keep_state_out(project_opened, plan, context.effective(root, plan.dockerfile), ".dockyard")
        return file.read_text() if file.exists() else None

    return keep_out


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        "FROM base\nADD . /app\n",
        "FROM base\nCOPY .* /app/\n",
        "FROM base\nRUN --mount=type=bind,target=/context make\n",
    ],
)
def test_what_would_copy_it(keep_out, text):
    """Where a step would copy our folder, a .dockerignore is made that keeps it out."""
    assert keep_out(text) == ".dockyard\n"


@pytest.mark.parametrize(
    "text", ["FROM base\nCOPY src /app\n", "FROM base\nCOPY --from=base . /app\n", "no Dockerfile"]
)
def test_what_would_not(keep_out, text):
    """Where no step copies it nothing is written, and a Dockerfile that is none is the build's to refuse."""
    assert keep_out(text) is None


@pytest.mark.parametrize(("ignored", "then"), [("", ".dockyard\n"), ("a\n", "a\n.dockyard\n"), ("a", "a\n.dockyard\n")])
def test_what_is_ignored_already_stays(keep_out, ignored, then):
    """The line goes below those that are there."""
    assert keep_out(WHOLE, ignored) == then


def test_the_dockerfile_has_its_own(keep_out, project):
    """The .dockerignore that counts is the one that is added to."""
    own = project / "Dockerfile.dockerignore"
    own.write_text("a\n")

    assert keep_out(WHOLE) is None
    assert own.read_text() == "a\n.dockyard\n"


def test_unwritable(keep_out, project):
    """A .dockerignore that cannot be written ends the build before it begins: the key would get into the image."""
    (project / ".dockerignore").symlink_to(project / "no" / "such" / "folder")

    with pytest.raises(SettingsError) as caught:
        keep_out(WHOLE)
    assert "API key" in sentences(caught.value)[0]
    assert "`.dockyard`" in sentences(caught.value)[2]
