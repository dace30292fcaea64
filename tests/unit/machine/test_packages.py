from __future__ import annotations

import pytest

from dockyard.errors import EngineError
from dockyard.machine import packages
from dockyard.machine.packages import Apt
from support import sentences
from unit.machine.conftest import DEBIAN_11, UBUNTU_24, system

POLICY = "{name}:\n  Installed: (none)\n  Candidate: {candidate}\n  Version table:\n     {candidate} 500\n"
APT = "apt-get -y -qq -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120 install --no-install-recommends"
SIMULATED = "apt-get -s install --no-install-recommends"


def policy(**candidates: str) -> str:
    return "".join(
        POLICY.format(name=name.replace("_", "."), candidate=candidate) for name, candidate in candidates.items()
    )


OLD = policy(docker_io="20.10.24+dfsg1-1+deb12u1")
NEW = policy(docker_io="26.1.5+dfsg1-9", **{"docker-buildx": "0.13.1+ds1-3", "docker-cli": "26.1.5+dfsg1-9"})


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("26.1.5+dfsg1-9+deb13u1", (26, 1, 5)),
        ("5:27.3.1-1~debian.12", (27, 3, 1)),
        ("0.13.1+ds1-3", (0, 13, 1)),
        ("24-1", (24,)),
        ("(none)", ()),
    ],
)
def test_version(text, numbers):
    """The numbers at the head of a Debian version count, its epoch does not."""
    assert packages.version(text) == numbers


@pytest.mark.parametrize(
    ("user", "code", "before"),
    [(0, 1, ()), (1000, 0, ("sudo", "-n")), (1000, 1, None)],
    ids=["root", "sudo", "neither"],
)
def test_privilege(door, monkeypatch, user, code, before):
    """Root needs nothing, others sudo that asks nothing; else there is no way."""
    monkeypatch.setattr("os.geteuid", lambda: user)
    door.answer("sudo -n true", code=code)

    assert packages.privilege() == before


def test_no_debian(door, tmp_path):
    """On another distribution nothing is tried, and the page to read is named."""
    with pytest.raises(EngineError) as caught:
        Apt.of_this_machine(system(tmp_path / "root", "fedora", "", like="rhel"))

    _, why, todo = sentences(caught.value)
    assert "Some Fedora" in why
    assert packages.INSTALL_PAGE in todo
    assert door.calls == []


def test_derivative(door, tmp_path):
    """A distribution that says that it is like Debian is taken at its word."""
    assert Apt.of_this_machine(system(tmp_path / "root", "mint", "x", like="ubuntu debian")).before == ()


def test_no_privilege(door, root, monkeypatch):
    """Neither root nor sudo: refused, and both ways out are named."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    door.answer("sudo -n true", code=1)

    with pytest.raises(EngineError) as caught:
        Apt.of_this_machine(root)

    _, why, todo = sentences(caught.value)
    assert "not root" in why
    assert "sudo -v" in todo
    assert packages.INSTALL_PAGE in todo


def install(root, before=()) -> tuple[str, list[str]]:
    announced: list[str] = []
    return packages.install_engine(Apt(before=before, root=root), announced.append), announced


def test_own_sources(door, root):
    """Where the machine's own sources have an engine that is new enough, it comes from there and no file is written."""
    door.answer("apt-cache policy", output=NEW)
    files = sorted(root.rglob("*"))

    origin, announced = install(root)

    assert origin == "from this machine's package sources"
    assert announced == ["Installing docker.io and docker-buildx and docker-cli from this machine's package sources."]
    assert door.said("apt") == [
        "apt-get update -qq",
        "apt-cache policy docker.io docker-buildx docker-cli",
        f"{SIMULATED} docker.io docker-buildx docker-cli",
        f"{APT} docker.io docker-buildx docker-cli",
    ]
    assert sorted(root.rglob("*")) == files
    assert [said.rpartition("apt-get")[2][:4] for said in door.finished] == [" -y "], "half an installation is none"


def test_client_in_the_engine(door, root):
    """Where docker.io brings its own client there is no docker-cli to ask for."""
    door.answer("apt-cache policy", output=policy(docker_io="26.1.3-0ubuntu1", **{"docker-buildx": "0.14.1-0ubuntu1"}))

    install(root)

    assert door.said(APT) == [f"{APT} docker.io docker-buildx"]


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(OLD, id="no-buildx"),
        pytest.param(policy(docker_io="20.10.24", **{"docker-buildx": "0.13.1"}), id="old-engine"),
        pytest.param(policy(docker_io="26.1.5", **{"docker-buildx": "0.10.5"}), id="old-buildx"),
        pytest.param(policy(docker_io="(none)"), id="none"),
        pytest.param("", id="unknown"),
    ],
)
def test_next_suite(door, root, known):
    """Where they are missing or too old, they come from the next suite, of the same mirror, pinned below all else."""
    door.answer("apt-cache policy", output=known)
    door.programs["docker"] = "/usr/local/bin/docker"

    origin, announced = install(root)

    assert origin == "from Debian trixie"
    assert announced == ["Installing docker.io and docker-buildx from Debian trixie; no other package moves."]
    assert (root / "etc/apt/sources.list.d/dockyard-trixie.sources").read_text() == (
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )
    assert (root / "etc/apt/preferences.d/dockyard-trixie").read_text() == (
        "Package: *\nPin: release n=trixie\nPin-Priority: 100\n"
    )
    assert door.said("apt-") == [
        "apt-get update -qq",
        "apt-cache policy docker.io docker-buildx",
        "apt-get update -qq",
        f"{SIMULATED} docker.io/trixie docker-buildx/trixie",
        f"{APT} docker.io/trixie docker-buildx/trixie",
    ]


def test_pin_before_suite(door, root):
    """The pin is there before the suite is: an upgrade in between moves nothing."""
    door.answer("apt-cache policy", output=OLD)

    install(root)

    written = [said.rsplit("/", 2)[-2] for said in door.said("install -D")]
    assert written == ["preferences.d", "sources.list.d"]


def test_client(door, root):
    """A machine without a docker client gets one with the engine of the next suite."""
    door.answer("apt-cache policy", output=OLD)

    install(root)

    assert door.said(APT) == [f"{APT} docker.io/trixie docker-buildx/trixie docker-cli/trixie"]


def test_one_line_sources(door, tmp_path):
    """The mirror is found in sources.list too, without a keyring where it names none."""
    door.answer("apt-cache policy", output="")
    root = system(tmp_path / "root", "debian", "bullseye", one_line=DEBIAN_11)

    assert install(root)[0] == "from Debian bookworm"
    assert (root / "etc/apt/sources.list.d/dockyard-bookworm.sources").read_text() == (
        "Types: deb\nURIs: http://mirror.example/debian/\nSuites: bookworm\nComponents: main\n"
    )


def test_suite_known_already(door, root):
    """A next suite that the machine's owner has set up is used as it is."""
    (root / "etc/apt/sources.list.d/own.list").write_text("deb http://own.example/debian trixie main\n")
    door.answer("apt-cache policy", output=OLD)

    assert install(root)[0] == "from Debian trixie"
    assert not list(root.rglob("*dockyard*"))


def test_again(door, root):
    """What an earlier, interrupted run wrote is written again and does no harm."""
    door.answer("apt-cache policy", output=OLD)
    install(root)
    first = (root / "etc/apt/sources.list.d/dockyard-trixie.sources").read_text()

    assert install(root)[0] == "from Debian trixie"
    assert (root / "etc/apt/sources.list.d/dockyard-trixie.sources").read_text() == first


MOVES = """Inst libc6 [2.36-9] (2.41-12 Debian:13/stable [amd64])
Remv old-engine [1.0]
Inst docker.io (26.1.5 Debian:13/stable [amd64])
"""


@pytest.mark.parametrize(
    ("command", "output", "error", "code", "reason"),
    [
        pytest.param("apt-get -s", MOVES, "", 0, "libc6, old-engine", id="would-move"),
        pytest.param("apt-get -s", "", "E: Release 'trixie' was not found\n", 100, "E: Release", id="not-there"),
        pytest.param("apt-get -y", "", "E: Failed to fetch x\n", 100, "E: Failed to fetch x", id="fails"),
    ],
)
def test_refused(door, root, command, output, error, code, reason):
    """An installation that fails, or would move what is there, is refused, and leaves the sources as they were."""
    door.answer("apt-cache policy", output=OLD)
    door.answer(command, output=output, error=error, code=code)

    with pytest.raises(EngineError) as caught:
        install(root)

    assert reason in sentences(caught.value)[1]
    assert not list(root.rglob("*dockyard*"))
    assert len(door.said("apt-get -y")) == (1 if command == "apt-get -y" else 0)


def test_interrupted(door, root):
    """Ctrl-C during the installation leaves the sources as they were."""
    door.answer("apt-cache policy", output=OLD)
    door.answers = {"apt-get -s": KeyboardInterrupt(), **door.answers}

    with pytest.raises(KeyboardInterrupt):
        install(root)

    assert not list(root.rglob("*dockyard*"))


@pytest.mark.parametrize(
    ("name", "codename", "text"),
    [
        pytest.param("ubuntu", "noble", UBUNTU_24, id="ubuntu"),
        pytest.param("debian", "bookworm", "", id="no-mirror"),
        pytest.param("debian", "forky", "Types: deb\nURIs: http://a\nSuites: forky\nComponents: main\n", id="newest"),
    ],
)
def test_no_next_suite(door, tmp_path, name, codename, text):
    """Where there is no next suite to ask, the engine is refused with the page to read."""
    root = system(tmp_path / "root", name, codename, any=text)

    with pytest.raises(EngineError) as caught:
        install(root)

    _, why, todo = sentences(caught.value)
    assert "docker.io 23.0 and docker-buildx 0.13" in why
    assert packages.INSTALL_PAGE in todo
    assert not door.said("apt-get -y")


def test_sudo(door, root):
    """Through sudo, every command that needs root is prefixed, and files go the same way."""
    door.answer("apt-cache policy", output=OLD)
    door.answer("install -D")

    install(root, ("sudo", "-n"))

    assert door.calls
    assert all(call[:2] == ("sudo", "-n") for call in door.calls)
    assert [said.split()[-1] for said in door.said("install -D")] == [
        str(root / "etc/apt/preferences.d/dockyard-trixie"),
        str(root / "etc/apt/sources.list.d/dockyard-trixie.sources"),
    ]


def test_unwritable(door, root):
    """A file that cannot be written is named, with the system's reason."""
    door.answer("install -D", error="install: Permission denied\n", code=1)

    with pytest.raises(EngineError) as caught:
        Apt(before=(), root=root).write("etc/docker/daemon.json", "{}")

    what, why, _ = sentences(caught.value)
    assert "etc/docker/daemon.json" in what
    assert why == "install: Permission denied"
