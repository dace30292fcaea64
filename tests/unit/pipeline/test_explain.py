"""Builds with a docker that is played: what is kept of them, and what is told afterwards."""

from __future__ import annotations

import json

import pytest

from dockyard.errors import SettingsError
from dockyard.explain import Kind, Outcome
from dockyard.pipeline import build_image
from dockyard.pipeline.explain import ExplainOptions, explain_build
from support import sentences

DOCKERFILE = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY src /src\nRUN pip install -r /src/list.txt\n"


@pytest.fixture
def small(project):
    """A project with a Dockerfile of two steps."""
    (project / "src").mkdir()
    (project / "src/list.txt").write_text("one\n")
    (project / "notes.txt").write_text("notes\n")
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / ".dockerignore").write_text("notes.txt\n")
    return project


@pytest.fixture
def lay(recorder):
    """Lay out what the next build does: the steps that run take nine seconds."""

    def lay(*, cached: bool):
        vertexes = [
            {
                "digest": f"sha256:{number}",
                "name": f"[{number}/3] {name}",
                "started": "2026-11-23T05:00:00Z",
                "completed": "2026-11-23T05:00:09Z",
                "cached": cached,
            }
            for number, name in ((2, "COPY src /src"), (3, "RUN pip install -r /src/list.txt"))
        ]
        recorder.answer(
            "buildx build",
            error=json.dumps({"vertexes": vertexes}) + "\n",
            metadata=json.dumps({"containerimage.digest": "sha256:1", "buildx.build.ref": "one/one/x"}),
        )

    return lay


def test_build_says_why(opened, small, lay, capsys):
    """After a build in which dependencies were installed again, one line says so, and why."""
    lay(cached=False)
    build_image(opened())
    assert "ran again" not in capsys.readouterr().err
    (small / "src/list.txt").write_text("one\ntwo\n")
    build_image(opened())

    assert (
        "RUN pip install -r /src/list.txt ran again (9.0 s): "
        "2/3 ran ← src/list.txt changed (+1 \N{MINUS SIGN}0 lines, 8 B)." in capsys.readouterr().err
    )


def test_last_build(opened, small, lay):
    """Without more the last build is explained, beside the one before it; its builder is the one that buildx told."""
    lay(cached=False)
    build_image(opened(quiet=True))
    lay(cached=True)
    record = build_image(opened(quiet=True))

    found = explain_build(opened(), ExplainOptions())

    assert record.builder == "one"
    assert [each.outcome for each in found.steps] == [Outcome.CACHED] * 2
    assert found.against
    assert found.against < found.record


def test_against(opened, small, lay):
    """Any two builds can be compared."""
    lay(cached=False)
    for text in ("one\n", "two\n", "one\n"):
        (small / "src/list.txt").write_text(text)
        build_image(opened(quiet=True))

    found = explain_build(opened(), ExplainOptions(record="0", against="2"))

    assert [each.causes[0].kind for each in found.steps] == [Kind.PRUNED] * 2


def test_what_if(opened, small, lay, monkeypatch):
    """An edit is foretold with its seconds; nothing is built, and a file that no step takes is told with the reason."""
    monkeypatch.chdir(small)
    lay(cached=False)
    build_image(opened(quiet=True))
    before = opened().state.records("builds")

    found = explain_build(opened(), ExplainOptions(foretell=True, edited=("src", "notes.txt", "Dockerfile")))

    assert [(each.outcome, each.seconds) for each in found.steps] == [(Outcome.WILL_RUN, 9.0)] * 2
    assert [name for name, _ in found.unused] == ["notes.txt", "Dockerfile"]
    assert found.unused[0][1] == ".dockerignore:1 keeps it out (notes.txt)"
    assert opened().state.records("builds") == before
    assert explain_build(opened(), ExplainOptions(foretell=True)).ran == ()


def test_what_if_of_a_link(opened, small, lay, monkeypatch):
    """Who edits a link edits the file that it points to."""
    monkeypatch.chdir(small)
    (small / "link").symlink_to("src/list.txt")
    lay(cached=False)
    build_image(opened(quiet=True))

    found = explain_build(opened(), ExplainOptions(foretell=True, edited=("link",)))

    assert [each.subject for each in found.steps[0].causes] == ["src/list.txt"]
    assert found.unused == ()


def test_what_if_of_the_dockerfile(opened, small, lay, monkeypatch):
    """The Dockerfile is a file of the build wherever it is, and what keeps files out is one, too."""
    monkeypatch.chdir(small)
    (small / "docker").mkdir()
    (small / "docker/Own.Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY . /src\n")
    (small / "docker/Own.Dockerfile.dockerignore").write_text("notes.txt\n")
    given = {"build__dockerfile": "docker/Own.Dockerfile", "quiet": True}
    lay(cached=False)
    build_image(opened(**given))
    asked = ("docker/Own.Dockerfile", "docker/Own.Dockerfile.dockerignore")

    for context, unused in ((".", ()), ("src", tuple(str(small / each) for each in asked))):
        found = explain_build(opened(**given, build__context=context), ExplainOptions(foretell=True, edited=asked))
        assert tuple(name for name, _ in found.unused) == unused
        assert all("depends on the edit" in why for _, why in found.unused)


def test_what_if_of_another_builder(opened, small, lay, recorder):
    """A builder that was chosen since the last build has nothing in its cache, and that is the reason."""
    lay(cached=False)
    build_image(opened(quiet=True))
    recorder.answer("buildx inspect", output="Name:   other\nDriver: docker-container\n\nNodes:\nName: other0\n")

    found = explain_build(opened(), ExplainOptions(foretell=True))

    causes = {(cause.kind, cause.before, cause.after) for each in found.ran for cause in each.causes}
    assert ([each.outcome for each in found.steps], causes) == (
        [Outcome.WILL_RUN] * 2,
        {(Kind.BUILDER, "one", "other")},
    )
    # One that is named is not asked for.
    named = opened(build__builder="one")
    assert explain_build(named, ExplainOptions(foretell=True)).ran == ()


def test_what_if_where_nobody_tells_the_builder(opened, small, lay, recorder):
    """Without a record, or where buildx never told who built, nobody is asked who would."""
    recorder.answer("buildx inspect", error="ERROR: no builder\n", code=1)
    assert len(explain_build(opened(), ExplainOptions(foretell=True)).ran) == 2
    lay(cached=False)
    recorder.lay_builder("docker")
    recorder.answer("buildx build", error="", metadata="{}")
    build_image(opened(quiet=True))
    recorder.answer("buildx inspect", error="ERROR: no builder\n", code=1)

    assert {
        cause.kind for each in explain_build(opened(), ExplainOptions(foretell=True)).ran for cause in each.causes
    } == {Kind.PRUNED}


@pytest.mark.parametrize("name", ["missing.txt", "/etc/hostname"])
def test_what_if_of_no_file(opened, small, name, monkeypatch):
    """A file that is not there, or not in the context, is refused."""
    monkeypatch.chdir(small)
    with pytest.raises(SettingsError) as caught:
        explain_build(opened(), ExplainOptions(foretell=True, edited=(name,)))

    assert name in sentences(caught.value)[0]


def test_no_record(opened, small):
    """Without any build there is nothing to explain, and that is said."""
    with pytest.raises(SettingsError) as caught:
        explain_build(opened(), ExplainOptions())

    assert "none" in sentences(caught.value)[1]


def test_unreadable_dockerfile(opened, small, lay):
    """A Dockerfile that only BuildKit understands is built, and what went in is not known."""
    (small / "Dockerfile").write_text("FROM scratch\nFUTURE thing\n")
    lay(cached=False)

    assert build_image(opened(quiet=True)).ingredients == {}
