"""Which image is measured, what it stands on, what it is compared with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.errors import EngineError
from dockyard.pipeline.size import BASE_DIGEST, BASE_NAME, SizeOptions, measure_image
from dockyard.size import Base
from images import digest, file, saved, streamed, tar
from support import IMAGE, FakeDaemon, image, sentences

LOWER, UPPER = [file("usr/lib/libc.so", b"c" * 400)], [file("app/a.py", b"a" * 20)]
DOCKERFILE = "FROM base:1\nCOPY a.py /app/\n"
HISTORY = [{"created_by": "base"}, {"created_by": "COPY a.py /app/ # buildkit"}]
LABELS = {"Labels": {BASE_NAME: "base:1", BASE_DIGEST: "sha256:b"}}
OWN = saved(LOWER, UPPER, history=HISTORY, config=LABELS)
OLDER = saved(LOWER, [file("app/a.py", b"a" * 9)], history=HISTORY)
LAYER = digest(tar(*LOWER))


class Saving(FakeDaemon):
    """An engine that saves its images, and has the layers of bases; `asked` is what it was asked for."""

    bases: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - set by each test
    broken = False
    own = OWN

    def image(self, reference):
        self.asked = [*getattr(self, "asked", []), reference]
        if reference in self.bases:
            return image(tags=(reference,), diff_ids=self.bases[reference])
        if self.broken:
            raise EngineError("The Docker engine does not answer.", "It is gone.", "Run `invoke setup`.")
        found = super().image(reference)
        return replace(found, labels={}) if found and not reference.startswith(IMAGE) else found

    def save(self, reference):
        return streamed(self.own if reference == f"{IMAGE}:prod" else OLDER)


@pytest.fixture
def daemon(recorder):
    return Saving(recorder, images=[f"{IMAGE}:prod", "older:1"])


@pytest.fixture
def sized(opened, daemon, project):
    """Measure with options; `bases` are references and their layers, other words are settings."""
    (project / "Dockerfile").write_text(DOCKERFILE, "utf-8")

    def sized(bases=None, settings=None, **options):
        daemon.bases = bases or {}
        return measure_image(opened(daemon=daemon, quiet=True, **(settings or {})), SizeOptions(**options))

    return sized


def test_own_image(sized):
    """Without options the image that `run` starts is measured, with the lines of the project's Dockerfile."""
    done = sized(bases={"base:1": (LAYER,)})

    assert (done.measured.reference, done.measured.total) == (f"{IMAGE}:prod", 420)
    assert done.measured.dockerfile == "Dockerfile"
    assert [each.line for each in done.measured.layers] == [1, 2]
    assert done.measured.base == Base(reference="base:1", layers=1)
    assert (done.measured.over_base, done.comparison, done.breaches) == (20, None, ())


@pytest.mark.parametrize("reference", ["base:1@sha256:b", "sha256:b", "base:1"])
def test_base_of_labels(sized, daemon, reference):
    """The base is what the labels name, by digest first, if the engine has it in any of these forms."""
    assert sized(bases={reference: (LAYER,)}).measured.base == Base(reference="base:1", layers=1)
    assert daemon.asked[-1] == reference


def test_base_that_moved(sized, project):
    """What bears the base's name and is not below the image is not its base: the Dockerfile tells then."""
    assert sized(bases={"base:1": ("sha256:other",)}).measured.base == Base(reference="base:1", layers=1)
    (project / "Dockerfile").unlink()
    assert sized(bases={"base:1": ("sha256:other",)}).measured.base is None


def test_base_without_layers(sized, project):
    """A base that has no layers is below every image, and is none."""
    (project / "Dockerfile").unlink()
    assert sized(bases={"base:1": ()}).measured.base is None


def test_from_scratch(sized, daemon, project):
    """What is built from nothing stands on no base."""
    (project / "Dockerfile").write_text("FROM scratch\nCOPY l /\nCOPY a.py /app/\n", "utf-8")
    history = [{"created_by": "COPY l /"}, {"created_by": "COPY a.py /app/"}]
    daemon.own = saved(LOWER, UPPER, history=history)
    done = sized()

    assert [each.line for each in done.measured.layers] == [2, 3]
    assert done.measured.base is None


@pytest.mark.parametrize("text", [b"\xff\x00RUN", b"FROM base:1\nRUN a\nRUN b\nRUN c\n"])
def test_dockerfile_that_does_not_fit(sized, project, text):
    """A Dockerfile that cannot be read, or did not make the image, gives no lines, and no error."""
    (project / "Dockerfile").write_bytes(text)
    done = sized()

    assert (done.measured.dockerfile, [each.line for each in done.measured.layers]) == ("", [0, 0])


def test_archive_without_engine(sized, daemon, project):
    """A saved image is measured where no engine answers; its base is then not known."""
    daemon.broken = True
    (project / "image.tar").write_bytes(OWN)
    done = sized(image=str(project / "image.tar"))

    assert (done.measured.reference, done.measured.total) == (str(project / "image.tar"), 420)
    assert done.measured.base is None


@pytest.mark.parametrize("against", ["older:1", "older.tar"])
def test_against(sized, project, monkeypatch, against):
    """Another image, of the engine or saved, is what the change is told from."""
    monkeypatch.chdir(project)
    (project / "older.tar").write_bytes(OLDER)
    done = sized(against=against)

    assert (done.comparison.reference, done.comparison.delta) == (against, 11)
    assert [each.index for each in done.comparison.shared] == [0]


def test_budgets(sized):
    """The settings' budgets are held against the image."""
    done = sized(settings={"size__distributions": {"scipy": "1m"}, "size__total": "1k"})

    assert [each.key for each in done.breaches] == ["size.distributions.scipy"]


@pytest.mark.parametrize("option", ["image", "against"])
def test_no_image(sized, option):
    """An image that is nowhere is an error that says how to get it."""
    with pytest.raises(EngineError) as caught:
        sized(**{option: "gone:1"})

    assert "docker pull gone:1" in sentences(caught.value)[2]
