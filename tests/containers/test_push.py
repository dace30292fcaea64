"""Images pushed to a real registry: read back, taken up again after it was gone, logged in to, signed and verified."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from registries import USER, Gate, Registry, command_lines, trust
from serving import docker

from dockyard.errors import DeployError
from dockyard.pipeline import deploy as deploying
from dockyard.pipeline.deploy import DeployOptions
from dockyard.pipeline.push import PushOptions, push_image
from dockyard.report import push as reports
from images import Saved, archive, encoded, file, saved, tar
from images import digest as digest_of
from support import opened, sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockyard.engines import Engine
    from dockyard.pipeline import Project
    from dockyard.push import Record

PASSWORD = f"canary-{secrets.token_hex(12)}"
REPOSITORY = "team/api"
BIG = 4 << 20


@pytest.fixture
def registry(registry_server: Path, tmp_path: Path) -> Iterator[Callable[..., Registry]]:
    """Start a registry; it ends with the test."""
    made = []

    def registry(**options: Any) -> Registry:
        each = Registry(registry_server, tmp_path / f"registry-{len(made)}", **options)
        made.append(each)
        each.start()
        return each

    yield registry
    for each in made:
        each.kill()


@pytest.fixture
def project(tmp_path: Path, unique: str, engine: Engine) -> Callable[..., Project]:
    """Open a project that has an image of three small layers and a larger one."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{unique}"\nversion = "1.0"\n')
    load(engine, tmp_path / "image.tar", f"{unique}:prod", *map(secrets.token_bytes, (64, 64, 64, BIG)))

    def project(**changed: Any) -> Project:
        given = {"push.pause": 0.2, "sign.tool": "off"} | changed
        return opened(folder, engine, {key.replace("__", "."): value for key, value in given.items()})

    return project


def load(engine: Engine, archive: Path, reference: str, *layers: bytes) -> None:
    """Give the engine an image of a project, of layers with a file each."""
    config = {"Labels": {"dev.dockyard.project": reference.partition(":")[0]}}
    files = [[file(f"file-{at}", content)] for at, content in enumerate(layers)]
    archive.write_bytes(saved(*files, reference=reference, config=config))
    engine.buildx.load(archive)


def push(project: Project, host: str, **options: Any) -> Record:
    return push_image(project, PushOptions(repository=f"{host}/{REPOSITORY}", **options))


def digest(project: Project, image: str = "") -> str:
    facts = project.engine.daemon.image(image or project.settings.reference)
    assert facts
    return facts.id


def test_pushed_and_read_back(
    project: Callable[..., Project], registry: Callable[..., Registry], tmp_path: Path
) -> None:
    """An image arrives under its tags with its own digest; again nothing is sent; others' tags are not taken."""
    there, here = registry(), project()
    first = push(here, there.host, tags=("{version}", "latest"))
    again = push(here, there.host)

    assert first.digest == digest(here)
    assert [(each.tag, each.before, each.sent, each.there) for each in first.tags] == [
        ("1.0", "", 4, 0),
        ("latest", "", 0, 4),
    ]
    assert [(each.before, each.sent, each.there) for each in again.tags] == [(first.digest, 0, 4)]
    for name in (f"{REPOSITORY}:1.0", f"{REPOSITORY}:latest", f"{REPOSITORY}@{first.digest}"):
        assert here.engine.daemon.published(f"{there.host}/{name}") == first.digest
    assert len(here.state.records("pushes")) == 2

    other = f"{here.settings.image}:other"
    load(here.engine, tmp_path / "other.tar", other, b"other")
    with pytest.raises(DeployError) as caught:
        push(here, there.host, image=other, tags=("latest", "1.0"))
    what, why, todo = sentences(caught.value)
    assert f"{REPOSITORY}:1.0 names another image already, so nothing was pushed" in what
    assert first.digest in why
    assert "--overwrite" in todo
    assert here.engine.daemon.published(f"{there.host}/{REPOSITORY}:latest") == first.digest

    assert push(here, there.host, image=other, tags=("latest",)).tags[0].before == first.digest
    assert push(here, there.host, image=other, overwrite=True).digest == digest(here, other) != first.digest


def test_with_its_provenance(
    project: Callable[..., Project], registry: Callable[..., Registry], tmp_path: Path
) -> None:
    """What is attested of an image goes with it, and the name that is pushed means both."""
    there, here = registry(), project()
    if not here.engine.daemon.server().containerd_store:
        pytest.skip("this engine keeps no attestations")
    statement = {"predicateType": "https://slsa.dev/provenance/v0.2", "subject": [], "chance": secrets.token_hex(8)}
    name, config = f"{here.settings.image}:attested", {"Labels": {"dev.dockyard.project": here.settings.image}}
    files, about = Saved(
        layers=[tar(file("a", b"a"))], statements=[statement], reference=name, config=config
    ).attested()
    (tmp_path / "attested.tar").write_bytes(archive(files))
    here.engine.buildx.load(tmp_path / "attested.tar")

    assert push(here, there.host, image=name).digest == about
    blob = digest_of(encoded(statement)).partition(":")[2]
    kept = there.folder / "store/docker/registry/v2/blobs/sha256" / blob[:2] / blob / "data"
    assert json.loads(kept.read_text()) == statement


def test_gone_in_the_middle(
    project: Callable[..., Project], registry: Callable[..., Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry that dies in a push leaves no tag; it is said, and the next push sends only what is missing."""
    there, here = registry(), project(push__attempts=2)
    gate = Gate(there.host, rate=BIG)
    gate.ends(2, there.kill)
    with pytest.raises(DeployError) as caught:
        push(here, gate.host)

    what, why, todo = sentences(caught.value)
    assert f"{gate.host}/{REPOSITORY}:1.0 was not pushed." == what
    assert "It was tried 2 times." in why
    assert "`invoke push` once more sends" in todo
    assert there.tags(REPOSITORY) == []
    first = gate.sent

    there.start()
    done = push(here, gate.host).tags[0]
    assert done.digest == digest(here)
    assert done.there >= 1
    assert done.sent + done.there == 4
    assert there.tags(REPOSITORY) == ["1.0"]
    assert gate.sent - first < BIG * 1.2
    gate.close()


def test_back_in_time(
    project: Callable[..., Project], registry: Callable[..., Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry that is back before the attempts are used up gets the image from one push; each attempt is told."""
    there, here = registry(), project(push__attempts=8)
    gate = Gate(there.host, rate=BIG)
    gate.ends(2, there.kill)
    told: list[str] = []

    def note(text: str, **_: str) -> None:
        told.append(text)
        if "attempt 3 of 8" in text:
            there.start()

    monkeypatch.setattr(here.console, "note", note)
    done = push(here, gate.host).tags[0]

    assert done.digest == digest(here)
    assert done.sent + done.there == 4
    assert [each for each in told if "attempt 2 of 8" in each]
    assert not [each for each in told if "attempt 4 of 8" in each]
    gate.close()


def test_killed(project: Callable[..., Project], registry: Callable[..., Registry]) -> None:
    """A push that is killed leaves no half image, and the next one goes on and ends well."""
    there, here = registry(), project()
    gate = Gate(there.host, rate=BIG)
    reached = threading.Event()
    gate.ends(2, reached.set)
    script = "from invoke.program import Program; from dockyard.tasks import namespace\n"
    script += "Program(namespace=namespace, name='invoke').run()"
    command = [sys.executable, "-c", script, "push", f"--repository={gate.host}/{REPOSITORY}", "--sign=off"]
    killed = subprocess.Popen(command, cwd=here.settings.root, stderr=subprocess.DEVNULL, process_group=0)
    assert reached.wait(60)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()

    assert there.tags(REPOSITORY) == []
    done = push(here, gate.host).tags[0]
    assert (done.digest, done.sent + done.there) == (digest(here), 4)
    assert there.tags(REPOSITORY) == ["1.0"]
    gate.close()


def test_unreachable(project: Callable[..., Project]) -> None:
    """Where nobody listens it is tried as often as was asked, and nothing is tagged."""
    here = project(push__attempts=2, push__pause=0)
    with pytest.raises(DeployError) as caught:
        push(here, "127.0.0.1:1")

    assert "connection refused" in caught.value.why
    assert here.engine.daemon.image(f"127.0.0.1:1/{REPOSITORY}:1.0") is None


@pytest.fixture
def guarded(registry: Callable[..., Registry], engine: Engine) -> Iterator[Registry]:
    """A registry with TLS and a password where the engine insists on both; loopback would be trusted anyway."""
    address = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}").strip()
    made = registry(address=address, tls=True, password=PASSWORD)
    trust(made.host, made.folder / "ca.crt")
    yield made
    trust(made.host, None)


def refused(project: Project, host: str) -> tuple[str, str, str]:
    with pytest.raises(DeployError) as caught:
        push(project, host)
    return sentences(caught.value)


def test_tls(project: Callable[..., Project], guarded: Registry, tmp_path: Path, monkeypatch) -> None:
    """Only a certificate of the CA that the engine knows is believed; without it nothing is pushed, nor tried again."""
    monkeypatch.setenv("DOCKYARD_PUSH_PASSWORD", PASSWORD)
    here = project(push__user=USER, push__password=PASSWORD, push__attempts=2)
    trust(guarded.host, None)
    _, why, todo = refused(here, guarded.host)
    assert "x509" in why
    assert "tried" not in why
    assert f"/etc/docker/certs.d/{guarded.host}/ca.crt" in todo
    assert guarded.tags(REPOSITORY) == []

    trust(guarded.host, guarded.folder / "ca.crt")
    assert push(here, guarded.host).tags[0].sent == 4


def test_password(
    project: Callable[..., Project], guarded: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    """A password reaches the registry from its variable or docker's store, and no argument list, file, log or error."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    for password, login in (("", {}), ("wrong", {"push__user": USER, "push__password": "wrong"})):
        monkeypatch.setenv("DOCKYARD_PUSH_PASSWORD", password)
        _, why, todo = refused(project(**login), guarded.host)
        assert "tried" not in why
        assert f"`docker login {guarded.host}`" in todo

    monkeypatch.setenv("DOCKYARD_PUSH_PASSWORD", PASSWORD)
    here = project(push__user=USER, push__password=PASSWORD)
    seen, over = [], threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            seen.append(command_lines())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        record = push(here, guarded.host)
    finally:
        over.set()
        watcher.join()
    reports.show(here.console, record, as_json=True)

    assert any(f"image push {guarded.host}" in each for each in seen)
    assert not [each for each in seen if PASSWORD in each]
    kept = [path for path in here.settings.root.rglob("*") if path.is_file()]
    assert any("pushes" in path.parts for path in kept)
    assert not [path for path in kept if PASSWORD.encode() in path.read_bytes()]
    assert list(here.settings.state.glob("registry-*")) == []
    assert not (tmp_path / "docker" / "config.json").exists()
    out, err = capfd.readouterr()
    assert record.digest in out
    assert PASSWORD not in out + err + repr(here.settings)

    login = ["docker", "login", "--username", USER, "--password-stdin", guarded.host]
    subprocess.run(login, input=PASSWORD.encode(), check=True, capture_output=True)
    monkeypatch.delenv("DOCKYARD_PUSH_PASSWORD")
    assert push(project(), guarded.host).tags[0].there == 4


def test_signed_and_verified(
    project: Callable[..., Project], guarded: Registry, cosign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real cosign signs the digest; `deploy` takes that image alone, and none that another key signed."""
    monkeypatch.setenv("PATH", f"{cosign}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COSIGN_PASSWORD", "of-the-key")
    monkeypatch.setenv("DOCKYARD_PUSH_PASSWORD", PASSWORD)
    login = {"push__user": USER, "push__password": PASSWORD}
    image = {"deploy__image": f"{guarded.host}/{REPOSITORY}", "deploy__verify": True}
    keys = {"sign__key": str(cosign / "cosign.key"), "sign__public_key": str(cosign / "cosign.pub")}
    here = project(**login, **image, **keys)
    options = DeployOptions(to="compose")

    push(here, guarded.host)
    with pytest.raises(DeployError) as caught:
        deploying.write_files(here, options)
    assert "no right signature" in caught.value.what
    assert "no signatures found" in caught.value.why
    assert not (here.settings.root / "deploy").exists()

    record = push(here, guarded.host, sign="cosign")
    assert record.signature == "signed by cosign and verified"
    assert push(here, guarded.host, sign="auto").signature == "was signed already, by cosign"
    deploying.write_files(here, options)
    assert record.digest in (here.settings.root / "deploy/compose.yaml").read_text()

    others = project(**login, **image, **keys | {"sign__public_key": str(cosign / "others" / "cosign.pub")})
    with pytest.raises(DeployError) as caught:
        deploying.write_files(others, options)
    assert "no right signature" in caught.value.what
    tagged = DeployOptions(to="compose", image=f"{guarded.host}/{REPOSITORY}:1.0", allow_tag=True)
    with pytest.raises(DeployError, match="a signature is of a digest"):
        deploying.write_files(here, tagged)
