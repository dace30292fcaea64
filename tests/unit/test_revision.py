from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest

from dockyard import revision
from dockyard.revision import Revision, without_credentials
from support import SECRET

WHEN = 1_700_000_000


@pytest.fixture
def git(project, monkeypatch):
    """Run git in the project, with a name and a clock of its own and nobody's configuration."""
    for name, value in {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
        "GIT_AUTHOR_DATE": "@1 +0000",
        "GIT_COMMITTER_DATE": f"@{WHEN} +0530",
        "GIT_CEILING_DIRECTORIES": str(project.parent),
    }.items():
        monkeypatch.setenv(name, value)

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", project, *arguments], check=True, capture_output=True, text=True).stdout

    return git


@pytest.fixture
def committed(git):
    """Commit the project; return the commit."""
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    return git("rev-parse", "HEAD").strip()


def test_clean(project, committed):
    """A commit is known by its digits and its committer's time in UTC."""
    known = revision.read(project)

    assert known == Revision(commit=committed, created="2023-11-14T22:13:20Z")
    assert datetime.fromisoformat(known.created) == datetime.fromtimestamp(WHEN, UTC)
    assert len(committed) == 40


def test_untracked(project, committed):
    """A file that git does not track makes no difference."""
    (project / "new").write_text("")

    assert revision.read(project).commit == committed


@pytest.mark.parametrize("staged", [False, True])
def test_dirty(project, git, committed, staged):
    """A change of a tracked file, staged or not, is said."""
    (project / "pyproject.toml").write_text("")
    if staged:
        git("add", ".")

    assert revision.read(project).commit == f"{committed}-dirty"


def test_below(project, committed):
    """A project in a folder of a repository has the repository's commit."""
    below = project / "services" / "one"
    below.mkdir(parents=True)

    assert revision.read(below).commit == committed


def test_no_commit(project, git):
    """A repository without a commit has no revision."""
    git("init", "--quiet")

    assert revision.read(project) == Revision()


def test_no_repository(project, git):
    """Outside a repository there is no revision."""
    assert revision.read(project) == Revision()


def test_no_git(project, committed, monkeypatch):
    """Without git there is no revision."""
    monkeypatch.setenv("PATH", "/nowhere")

    assert revision.read(project) == Revision()


def test_remote(project, git, committed):
    """The remote `origin` is known, and its password is not."""
    git("remote", "add", "origin", f"https://user:{SECRET}@git.example.org:8443/team/service.git")

    assert revision.read(project).url == "https://git.example.org:8443/team/service.git"
    assert SECRET not in str(revision.read(project))


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        (f"https://{SECRET}@host/a.git", "https://host/a.git"),
        (f"https://user:p@ss:{SECRET}@host/a.git", "https://host/a.git"),
        (f"ssh://git:{SECRET}@host:22/a.git", "ssh://host:22/a.git"),
        ("https://host/a@b.git", "https://host/a@b.git"),
        ("git@host:team/a.git", "git@host:team/a.git"),
        ("/srv/git/a.git", ""),
        ("../a.git", ""),
        ("file:///srv/git/a.git", ""),
        ("", ""),
        (f"https://user:{SECRET}@[host/a.git", ""),
    ],
)
def test_without_credentials(url, clean):
    """User and password go; an address of another form stays, and folders and nonsense are dropped."""
    assert without_credentials(url) == clean
