from __future__ import annotations

import io
import tarfile

import pytest

from dockyard.errors import EngineError
from dockyard.machine import archive, debian
from support import sentences
from unit.machine.conftest import DEBIAN_12, UBUNTU_24, system

NEWEST = 1793624159
TREE = {
    "./": None,
    "./etc/": None,
    "./etc/debian_version": b"12.11\n",
    "./etc/hostname": b"workstation-of-someone\n",
    "./etc/resolv.conf": b"nameserver 10.0.0.1\n",
    "./etc/apt/sources.list.d/": None,
    "./etc/apt/sources.list.d/0000debian.sources": b"URIs: http://user:secret@mirror.example/debian\n",
    "./dev/": None,
    "./dev/null": None,
    "./var/log/": None,
    "./var/log/dpkg.log": b"x",
    "./var/cache/apt/archives/": None,
    "./var/cache/debconf/config.dat": b"kept",
    "./var/cache/debconf/config.dat-old": b"x",
    "./var/cache/ldconfig/aux-cache": b"x",
    "./var/lib/dpkg/status": b"kept",
    "./var/lib/dpkg/status-old": b"x",
    "./tmp/": None,
    f"./{debian.NEWEST}": f"{NEWEST}\n".encode(),
}


def tree(path) -> None:
    """Write what mmdebstrap would."""
    with tarfile.open(path, "w") as tar:
        for name, content in TREE.items():
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.CHRTYPE
            if content is not None:
                entry.type, entry.size = tarfile.REGTYPE, len(content)
            tar.addfile(entry, io.BytesIO(content or b""))
        hard = tarfile.TarInfo("./etc/hard")
        hard.type, hard.linkname = tarfile.LNKTYPE, "./etc/debian_version"
        tar.addfile(hard)


@pytest.fixture
def mmdebstrap(door, monkeypatch, tmp_path):
    """The process door with an mmdebstrap that writes that tree."""
    real = door.run

    def run(command, **options):
        if "mmdebstrap" in command and "install" not in command:
            tree(command[-2])
        return real(command, **options)

    monkeypatch.setattr("dockyard.engines.process.run", run)
    door.programs["mmdebstrap"] = "/usr/bin/mmdebstrap"
    return door


@pytest.fixture
def work(tmp_path):
    """A working folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_command(mmdebstrap, root, work):
    """The tool is called with the suite, the machine's own sources, a fixed date, and a temporary folder in ours."""
    debian.make("bookworm", work, root)

    (call,) = [call for call in mmdebstrap.calls if "mmdebstrap" in call]
    assert call[:4] == ("env", f"SOURCE_DATE_EPOCH={archive.EPOCH}", f"TMPDIR={work}", "mmdebstrap")
    assert "--variant=minbase" in call
    assert f"--include={','.join(debian.PACKAGES)}" in call
    assert call[-3:] == ("bookworm", str(work / "debian.tar"), str(work / "debian.sources"))
    assert (work / "debian.sources").read_text().count("http://mirror.example/debian") == 3
    assert (work / "debian.sources").stat().st_mode & 0o777 == 0o600


def test_proxy(mmdebstrap, root, work):
    """The proxy of apt holds for mmdebstrap too."""
    mmdebstrap.answer("apt-config", output="proxy='http://proxy.example:3128'\n")

    debian.make("bookworm", work, root)

    (call,) = [call for call in mmdebstrap.calls if "mmdebstrap" in call]
    assert "http_proxy=http://proxy.example:3128" in call


def test_sudo(mmdebstrap, root, work, monkeypatch):
    """A user calls mmdebstrap through sudo, and without sudo as it is: it has ways of its own."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    debian.make("bookworm", work, root)
    mmdebstrap.answer("sudo -n true", code=1)
    (work / "debian.sources").unlink()
    debian.make("bookworm", work, root)

    first, second = [call for call in mmdebstrap.calls if "mmdebstrap" in call]
    assert first[:3] == ("sudo", "-n", "env")
    assert second[0] == "env"


def test_installed(mmdebstrap, root, work):
    """Where mmdebstrap is missing it is installed first, from the machine's own sources."""
    del mmdebstrap.programs["mmdebstrap"]

    debian.make("bookworm", work, root)

    said = mmdebstrap.said("apt-get")
    assert said[0] == "apt-get update -qq"
    assert said[-1].endswith("install --no-install-recommends mmdebstrap")


def test_layer(mmdebstrap, root, work):
    """What is of this machine or of the moment stays out; the rest is there, its age that of the newest package."""
    made = debian.make("bookworm", work, root)

    with tarfile.open(made.layer.path) as tar:
        entries = {each.name: each for each in tar}
        sources = tar.extractfile("etc/apt/sources.list.d/debian.sources").read().decode()
    assert set(entries) == {
        "etc",
        "etc/debian_version",
        "etc/hard",
        "etc/apt/sources.list.d",
        "etc/apt/sources.list.d/debian.sources",
        "dev",
        "var/log",
        "var/cache/debconf/config.dat",
        "var/lib/dpkg/status",
        "tmp",
    }
    assert entries["etc/hard"].linkname == "etc/debian_version"
    assert "Suites: bookworm-security" in sources
    assert (made.suite, made.created) == ("bookworm", "2026-11-02T12:55:59Z")
    assert not (work / "debian.tar").exists()


def test_password(mmdebstrap, tmp_path, work):
    """A mirror's password reaches mmdebstrap in a private file, no argument list and no layer."""
    text = DEBIAN_12.replace("http://", "https://user:hunter2@")
    root = system(tmp_path / "secret", "debian", "bookworm", debian=text)

    made = debian.make("bookworm", work, root)

    assert "hunter2" in (work / "debian.sources").read_text()
    assert not [call for call in mmdebstrap.calls if "hunter2" in " ".join(call)]
    with tarfile.open(made.layer.path) as tar:
        assert b"hunter2" not in b"".join(tar.extractfile(each).read() for each in tar if each.isreg())


def test_same_bytes(mmdebstrap, root, work, tmp_path):
    """The same packages give the same layer in another folder."""
    other = tmp_path / "other"
    other.mkdir()

    assert debian.make("bookworm", work, root).layer.digest == debian.make("bookworm", other, root).layer.digest


def test_no_mirror(door, tmp_path, work):
    """On Ubuntu there is no Debian mirror to take packages from: refused before anything is run."""
    root = system(tmp_path / "ubuntu", "ubuntu", "noble", ubuntu=UBUNTU_24)

    with pytest.raises(EngineError) as caught:
        debian.make("bookworm", work, root)

    assert "no Debian mirror" in sentences(caught.value)[1]
    assert door.calls == []


def test_fails(mmdebstrap, root, work):
    """Of a failed mmdebstrap its first error is shown, not what follows from it."""
    mmdebstrap.answer("--variant", error="I: running\nE: Unable to locate package x\nE: mmdebstrap failed\n", code=25)

    with pytest.raises(EngineError) as caught:
        debian.make("bookworm", work, root)

    assert sentences(caught.value)[1] == "E: Unable to locate package x"
