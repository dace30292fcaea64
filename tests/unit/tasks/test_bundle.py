"""`invoke bundle` and `invoke build --offline` as they are typed."""

from __future__ import annotations

import pytest

from unit.bundle import made


@pytest.fixture
def archive(project):
    path = project / "b.tar"
    made.write(path)
    return path


def test_check(invoke, archive):
    """A bundle is verified and told by kind, with what was left out; no engine is asked."""
    done = invoke("bundle --check b.tar")
    assert done.code == 0
    first, size, digest, *rows = [line.strip() for line in done.out.splitlines() if line.strip()]
    assert first == "b.tar: tiny-service 1.2.3 at c0ffee, for Python 3.12, 3.13 on linux/amd64"
    assert size == "9.3 kB in 7 files, made by dockyard 0.1.0"
    assert digest.removeprefix("manifest sha256:") == made.write(archive)
    assert [row.split()[:2] for row in rows[1:]] == [["2", "22"], ["2", "9.0"], ["1", "8"], ["1", "219"], ["1", "2"]]
    assert [row.split("  ")[-1].strip() for row in rows[1:4]] == [
        f"{made.OTHER}, {made.BASE}",
        "alpha 1.0, beta-x 2.0",
        "dockyard 0.1.0",
    ]
    assert done.err == "Python 3.14 is not in it. There is no base image for Python 3.14.\n"


def test_no_dockerfile(invoke, archive, on_engine, recorder, monkeypatch):
    """A project without its Dockerfile is told so in three lines, with 2."""
    monkeypatch.setattr("dockyard.pipeline.need.platform_of", lambda _: "linux/amd64")
    done = invoke("build --offline --bundle b.tar --progress quiet")
    assert done.code == 2
    assert "Dockerfile cannot be read." in done.err
    assert recorder.calls == []


def test_check_refuses(invoke, archive):
    """A bundle that was tampered with ends with 3 and the member's name."""
    archive.write_bytes(archive.read_bytes().replace(b"no image", b"an image"))
    done = invoke("bundle --check b.tar")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("error: The bundle is refused: images/base.tar.\n")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("bundle --check b.tar --output c.tar", "--check writes nothing."),
        ("bundle --check b.tar --python 3.12", "--check writes nothing."),
        ("bundle --check b.tar --sign", "--check writes nothing."),
        ("bundle --check none.tar", "There is no bundle none.tar."),
        ("build --offline", "--offline and --bundle belong together."),
        ("build --bundle b.tar", "--offline and --bundle belong together."),
        ("build --offline --bundle b.tar --pull", "--pull needs a registry."),
    ],
)
def test_wrong_flags(invoke, archive, line, told):
    """Flags that make no sense together are refused with 2, before anything is asked."""
    done = invoke(line)
    assert done.code == 2
    assert done.err.startswith(f"error: {told}\n")


def test_offline_asks_no_registry_for_a_tampered_bundle(invoke, archive, on_engine, recorder):
    """`build --offline` ends with 3 where its bundle is refused, and builds nothing."""
    archive.write_bytes(archive.read_bytes()[:-9000])
    done = invoke("build --offline --bundle b.tar --progress quiet")
    assert done.code == 3
    assert "The bundle is refused: " in done.err
    assert recorder.calls == []
