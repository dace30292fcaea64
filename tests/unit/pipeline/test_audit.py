"""What is audited, and what becomes of evidence that there is not."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date
from typing import TYPE_CHECKING

import pytest

from dockyard.audit.evidence import TRIED
from dockyard.audit.rules import ALL
from dockyard.audit.verdict import Kind, State
from dockyard.errors import EngineError, SettingsError
from dockyard.pipeline.audit import AuditOptions, audit_image
from dockyard.pipeline.evidence import FOREIGN, NO_DOCKERFILE, NO_IMAGE, STATIC, Sources
from dockyard.pipeline.subject import Subject
from images import file, saved, streamed
from support import IMAGE, FakeDaemon, image, sentences
from unit.sbom.made import distribution

if TYPE_CHECKING:
    from dockyard.audit.verdict import Verdict
    from dockyard.report.audit import Audited

DOCKERFILE = "FROM scratch\nCOPY su /bin/su\nUSER 1000:1000\n"
HISTORY = [{"created_by": "COPY su /bin/su # buildkit"}, {"created_by": "USER 1000:1000", "empty_layer": True}]
SAVED = saved([file("bin/su", b"x", mode=0o4755)], config={"User": "1000:1000"}, history=HISTORY)


class Saving(FakeDaemon):
    """An engine that also saves its image; `saves` counts how often."""

    saves = 0
    saved = SAVED

    def image(self, reference):
        found = super().image(reference)
        return image(tags=(reference,), labels={}) if found and not reference.startswith(IMAGE) else found

    def save(self, reference):
        self.saves += 1
        return streamed(self.saved)


@pytest.fixture
def daemon(recorder):
    """An engine with our image and a strange one."""
    return Saving(recorder, images=[f"{IMAGE}:prod", "strange:1"])


@pytest.fixture
def audited(opened, daemon, project):
    """Audit with options; other words are settings."""
    (project / "Dockerfile").write_text(DOCKERFILE, "utf-8")

    def audited(settings=None, **options) -> Audited:
        return audit_image(opened(daemon=daemon, quiet=True, **(settings or {})), AuditOptions(**options))

    return audited


def verdict(done: Audited, rule: str) -> Verdict:
    return next(each for each in done.report.verdicts if each.rule == rule)


def reasons(done: Audited, rule: str) -> list[str]:
    return [proof.text for proof in verdict(done, rule).of(Kind.UNKNOWN)]


def test_own_image(audited):
    """Without options the image that `run` starts and the project's Dockerfile are audited, by every rule."""
    done = audited(static=True)

    assert done.report.image == f"{IMAGE}:prod"
    assert done.report.dockerfile == "Dockerfile"
    assert done.report.digest.startswith("sha256:")
    assert [each.rule for each in done.report.verdicts] == [rule.id for rule in ALL]
    assert verdict(done, "IMG-01").state is State.FAIL
    assert done.lines == {0: 2}


def test_static(audited):
    """With --static nothing is started, and what needs it says so."""
    assert STATIC in reasons(audited(static=True), "RT-08")


def test_static_starts_nothing(audited, recorder):
    """With --static docker is asked for nothing that builds or runs."""
    audited(static=True)

    assert [call for call in recorder.calls if call[0] == "create" or call[:2] == ["buildx", "build"]] == []


def test_sbom_is_made(audited, daemon, project):
    """Where no SBOM is named, the one that is made of the image is judged; a named one is held against the image."""
    daemon.saved = saved([distribution("h11", "1")], config={"User": "1000:1000"})
    made = verdict(audited(rules=("SUP-03",)), "SUP-03")

    assert made.state is State.PASS
    assert "1 distributions and packages are listed, none besides" in [each.text for each in made.of(Kind.HOLDS)]
    assert daemon.saves == 1
    (project / "sbom.json").write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6"}', "utf-8")
    stale = verdict(audited({"audit__sbom": "sbom.json"}, rules=("SUP-03",)), "SUP-03")
    assert "h11 1 (Python) is in the image and not in the SBOM" in [each.text for each in stale.of(Kind.BROKEN)]


@pytest.mark.parametrize("given", ["strange:1", "image.tar"])
def test_strange_image(audited, project, monkeypatch, given):
    """Of a strange image, on the engine or saved, what it holds is judged, and what its service claims is not."""
    monkeypatch.chdir(project)
    (project / "image.tar").write_bytes(SAVED)
    done = audited(image=given)

    assert verdict(done, "IMG-01").state is State.FAIL
    assert reasons(done, "API-01") == [FOREIGN]
    assert NO_DOCKERFILE in reasons(done, "SEED-06")
    assert (done.report.image, done.report.dockerfile) == (given, "")


def test_dockerfile_alone(audited, tmp_path, daemon):
    """Of a Dockerfile alone its rules are judged, and no image is read."""
    path = tmp_path / "Other"
    path.write_text("FROM scratch\nADD x /x\n", "utf-8")
    done = audited(dockerfile=str(path))

    assert verdict(done, "IMG-09").state is State.FAIL
    assert reasons(done, "IMG-01") == [NO_IMAGE]
    assert (done.report.image, done.report.dockerfile) == ("", str(path))
    assert daemon.saves == 0


def test_only_what_a_rule_needs(audited, daemon):
    """What the chosen rules do not need is not gathered."""
    done = audited(rules=("IMG-09",))

    assert [each.rule for each in done.report.verdicts] == ["IMG-09"]
    assert daemon.saves == 0


def test_broken_dockerfile(audited, project):
    """A Dockerfile that cannot be read makes its rules not run, and says why."""
    (project / "Dockerfile").write_bytes(b"\xff\x00RUN")
    (reason,) = reasons(audited(rules=("IMG-09",)), "IMG-09")

    assert reason.startswith("Dockerfile:1 cannot be read.")


def test_damaged_image(audited, tmp_path):
    """A saved image that ends half-way makes its rules not run, and says why."""
    (tmp_path / "half.tar").write_bytes(SAVED[: len(SAVED) // 2])
    done = audited(image=str(tmp_path / "half.tar"))

    assert verdict(done, "IMG-01").state is State.NOT_RUN
    assert "IMG-01" not in {each.rule for each in done.report.of(State.PASS)}


@pytest.mark.parametrize(("reference", "todo"), [("", "invoke build"), ("gone:1", "docker pull gone:1")])
def test_no_image(opened, recorder, reference, todo):
    """An image that the engine has not is an error before anything begins."""
    with pytest.raises(EngineError) as caught:
        audit_image(opened(daemon=Saving(recorder, images=[])), AuditOptions(image=reference))

    assert todo in sentences(caught.value)[2]


def test_no_dockerfile(audited):
    """A Dockerfile that is not there is an error."""
    with pytest.raises(SettingsError, match="no Dockerfile nowhere"):
        audited(dockerfile="nowhere")


def test_waivers(audited):
    """A waiver of the settings counts, and one of a rule that does not exist is refused."""
    waiver = {"reason": "The base is replaced soon.", "expires": date(9999, 12, 31)}
    done = audited({"audit__waivers": {"IMG-01": waiver}}, static=True)

    assert verdict(done, "IMG-01").state is State.WAIVED
    with pytest.raises(SettingsError, match="no rule IMG-99"):
        audited({"audit__waivers": {"IMG-99": waiver}}, static=True)


def test_builds_are_one_lane(opened, daemon, project):
    """Trial builds never run side by side, since that can end an engine; every trial of containers has its own lane."""
    (project / "Dockerfile").write_text(DOCKERFILE, "utf-8")
    subject = Subject(reference=f"{IMAGE}:prod", dockerfile=project / "Dockerfile", ours=True)
    with ExitStack() as stack:
        sources = Sources(opened(daemon=daemon), subject, stack, today=date(2026, 11, 23))
        lanes = [[name for source in lane for name in source.names] for lane in sources.tried()]

    building = {"rebuild", "secret_trial", "cache_trial", "canary_build"}
    assert [set(lane) for lane in lanes if building & set(lane)] == [building]
    assert sorted(name for lane in lanes for name in lane) == sorted(TRIED)


def test_imports(audited, tmp_path):
    """A file of results that is none is the reason for which its rule was not run."""
    (tmp_path / "scan.json").write_text("{}", "utf-8")
    (reason,) = reasons(audited(rules=("IMG-13",), imports=(str(tmp_path / "scan.json"),)), "IMG-13")

    assert "scan.json" in reason
