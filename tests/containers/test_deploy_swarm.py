"""`invoke deploy --to swarm` on a real swarm: what is good takes the old one's place, what is broken goes by itself."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from swarms import Prober, SecondNode, docker, swarm_mode, until

from dockyard import pipeline
from dockyard.errors import DeployError, EngineError
from dockyard.pipeline import deploy as deploying
from dockyard.report.console import Console
from dockyard.settings import load
from support import PROJECT_LABEL, remove_labelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.deploy.rollout import Deployed
    from dockyard.engines import Engine
    from dockyard.engines.swarm import Swarm

pytestmark = pytest.mark.operations
TINY = Path(__file__).parents[1] / "data" / "tiny"
PYPROJECT = """
[project]
name = "{name}"
version = "1.0"

[tool.dockyard.run]
memory = "64m"
stop_timeout = 3

[tool.dockyard.deploy]
cpus_request = 0.05
memory_request = "16m"
settle = 4
wait = 60

[tool.dockyard.deploy.swarm]
endpoint_mode = "dnsrr"
networks = ["{name}-front"]
health = ['bash', '-c', '''{check}''']
"""
# Python takes a second to start, several on a busy machine: eight failures in a row are eight seconds.
CHECK = """
exec 3<>/dev/tcp/127.0.0.1/8000
echo -en "GET /ready HTTP/1.0\\r\\n\\r\\n" >&3
read -r _ code _ <&3
cat <&3 >/dev/null
echo /ready answered $code
[ $code = 200 ]
"""
CHECKED = "HEALTHCHECK --interval=1s --timeout=9s --start-period=3s --start-interval=0.3s --retries=8"
KEY = "canary-key-0123456789-0123456789-abcdef"


class Stack:
    """A project that is deployed to a swarm, and what can be asked of it.

    Attributes:
        name: Of the project and the stack.
        images: Two of it, by digest.
    """

    def __init__(self, folder: Path, name: str, engine: Engine) -> None:
        self.name, self.engine, self.folder = name, engine, folder
        self.service = f"{name}_{name}"
        self.images: list[str] = []

    def build(self, greeting: str) -> None:
        """Build one image more."""
        pipeline.build_image(self.opened(tag=greeting, build__args__GREETING=greeting), progress="quiet")
        facts = self.engine.daemon.image(f"{self.name}:{greeting}")
        assert facts
        self.images.append(f"{self.name}@{facts.digest}")

    def opened(self, **arguments: Any) -> pipeline.Project:
        given = {key.replace("__", "."): value for key, value in arguments.items()}
        loaded = load(given, start=self.folder, environment={})
        return pipeline.Project(loaded, self.engine, Console(quiet=True))

    def deploy(self, image: int = 0, *, rotate_key: bool = False, **arguments: Any) -> Deployed:
        """Write the stack and bring it up, as the task does."""
        options = deploying.DeployOptions(to="swarm", image=self.images[image], rotate_key=rotate_key)
        project = self.opened(**arguments)
        deploying.write_files(project, options)
        return deploying.bring_up(project, options)

    def containers(self) -> list[str]:
        """Its running containers on this node."""
        return docker("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={self.service}").split()

    def secrets(self) -> list[str]:
        """The key's versions."""
        return sorted(docker("secret", "ls", "--filter", f"name={self.name}-key", "--format", "{{.Name}}").split())

    @contextmanager
    def probed(self) -> Iterator[Prober]:
        """Ask the service all the time, from when it answers until the end; every question must have been answered."""
        prober = Prober(self.images[0], f"{self.name}-front", self.name, f"{PROJECT_LABEL}={self.name}")
        prober.until_answered()
        before = len(prober.rounds())
        yield prober
        asked = prober.stop()[before:]
        assert len(asked) > 20
        assert [each for each in asked if not each.by] == []


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Stack]:
    """Two images of a tiny project with a quick health check; nothing is left of them, nor of what they ran as."""
    name, folder = f"dockyard-test-{secrets.token_hex(4)}", tmp_path_factory.mktemp("swarm") / "tiny"
    shutil.copytree(TINY, folder)
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=name, check=CHECK), "utf-8")
    before, _, after = (folder / "Dockerfile").read_text("utf-8").partition("HEALTHCHECK")
    (folder / "Dockerfile").write_text(f"{before}{CHECKED} \\\n{after.partition(chr(10))[2]}", "utf-8")
    made = Stack(folder, name, engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("API_KEY", KEY)
        try:
            made.build("one")
            made.build("two")
            yield made
        finally:
            remove_labelled(engine, name)


@contextmanager
def fronted(stack: Stack) -> Iterator[None]:
    """A network that the prober shares with the service; afterwards nothing of the stack is there any more."""
    front = f"{stack.name}-front"
    docker("network", "create", "--driver", "overlay", "--attachable", front)
    try:
        yield
    finally:
        docker("stack", "rm", stack.name)
        mine = f"label=com.docker.stack.namespace={stack.name}"
        until(lambda: not docker("ps", "--all", "--quiet", "--filter", mine), "the end of the stack's containers")
        for volume in docker("volume", "ls", "--quiet", "--filter", f"name={stack.name}-logs").split():
            docker("volume", "rm", volume)
        for secret in stack.secrets():
            docker("secret", "rm", secret)
        until(lambda: not docker("network", "rm", "--force", front) or True, "the end of the network")


@pytest.fixture(scope="module")
def swarm(stack: Stack, engine: Engine) -> Iterator[Swarm]:
    """One node in swarm mode."""
    with swarm_mode(engine) as made, fronted(stack):
        yield made


@pytest.fixture
def serving(stack: Stack, swarm: Swarm) -> Stack:
    """The first image, deployed, whatever was before."""
    stack.deploy()
    return stack


def test_no_swarm(stack: Stack) -> None:
    """An engine in no swarm stays so: it is said how to make one."""
    with pytest.raises(EngineError) as caught:
        stack.deploy()
    assert caught.value.what == "This engine is in no swarm, so nothing was deployed."
    assert "`docker swarm init`" in caught.value.todo
    assert docker("info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive"


@pytest.fixture
def second_node(stack: Stack) -> Iterator[SecondNode]:
    """A second engine that has the images and is in no swarm yet."""
    missing = [each for each in ("dockerd", "ip", "nsenter") if not shutil.which(each)]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"a second node needs root and {', '.join(missing) or 'dockerd, ip and nsenter'} of this machine")
    node = SecondNode()
    try:
        node.start()
        node.load(f"{stack.name}:one")
        yield node
    finally:
        node.remove()


def test_a_node_that_is_cut_off(stack: Stack, second_node: SecondNode, engine: Engine) -> None:
    """Of two nodes one is cut off under load: the other answers every question, and gets the lost task."""
    with swarm_mode(engine, second_node.near, "--dispatcher-heartbeat", "2s") as swarm, fronted(stack):
        second_node.join()
        stack.deploy()
        here = swarm.state().node
        assert {each.node == here for each in swarm.tasks(stack.service) if each.runs} == {True, False}
        with stack.probed() as prober:
            prober.until_answered(2)
            cut = time.time()
            second_node.cut_off()
            prober.until_answered(1)
            until(
                lambda: [each.node for each in swarm.tasks(stack.service) if each.runs and each.node == here][1:],
                "the lost task on the first node",
            )
            prober.until_answered(2)
            answers = [each for each in prober.rounds() if each.at > cut]
        assert len({each.by for each in answers}) >= 2


# From here on the engine is in swarm mode until the last test.


def test_a_good_release_takes_the_place_of_the_old_one(serving: Stack, swarm: Swarm) -> None:
    """All tasks run the new image, every question on the way was answered, and a second time nothing changes."""
    with serving.probed():
        done = serving.deploy(1)
    assert done.changed
    tasks = [each for each in swarm.tasks(serving.service) if each.runs]
    assert [each.image for each in tasks] == [serving.images[1]] * 2

    again = serving.deploy(1)
    assert not again.changed
    assert {each.id for each in swarm.tasks(serving.service) if each.runs} == {each.id for each in tasks}


def test_the_container_is_confined(serving: Stack) -> None:
    """What the stack says arrives at the containers, and the key is nowhere but in its file."""
    told = serving.engine.daemon.api.inspect_container(serving.containers()[0])
    host, limit = told["HostConfig"], 64 * 2**20
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["Memory"], host["PidsLimit"]) == (True, ["ALL"], limit, 128)
    assert told["Config"]["User"] == "1000:1000"
    assert KEY not in str(told)
    look = "cat /run/secrets/api_key; stat -c '%u:%g %a' /run/secrets/api_key; grep ' /tmp ' /proc/mounts"
    key, mode, mount = docker("exec", told["Id"], "sh", "-c", look).splitlines()
    assert (key, mode) == (KEY, "0:1000 440")
    assert {"nosuid", "nodev", "noexec"} <= set(mount.split()[3].split(","))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"MODE": "crash"}, ["non-zero exit (1)", "| no model here"]),
        ({"MODE": "unready"}, ["its health check failed", "Health check: /ready answered 503", '"event": "serving"']),
        ({"MODE": "expires", "AFTER": "2"}, ["non-zero exit (3)", '"event": "serving"']),
    ],
    ids=["exits at once", "never healthy", "healthy, then dies"],
)
def test_a_broken_release_is_taken_back(serving: Stack, swarm: Swarm, broken: dict[str, str], told: list[str]) -> None:
    """Swarm brings the old one back, it is said why, and every question on the way was answered."""
    with serving.probed(), pytest.raises(DeployError) as caught:
        serving.deploy(1, run__env=broken)
    error = caught.value
    assert error.exit_code == 7
    assert "Swarm took it back" in error.what
    assert [text for text in told if text not in error.why] == [], error.why
    assert f"What serves now: {serving.images[0]}" in error.todo
    until(
        lambda: [each.image for each in swarm.tasks(serving.service) if each.runs] == [serving.images[0]] * 2,
        "the old release",
    )


def test_a_new_key_takes_the_place_of_the_old_one(serving: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotated key is a new secret; the old one is removed once nothing uses it, and a failed one is removed too."""
    (first,) = serving.secrets()
    monkeypatch.setenv("API_KEY", "n" * 40)
    with pytest.raises(DeployError):
        serving.deploy(run__env={"MODE": "crash"}, rotate_key=True)
    assert serving.secrets() == [first]

    with serving.probed():
        serving.deploy(rotate_key=True)
    (second,) = serving.secrets()
    assert second != first
    assert docker("exec", serving.containers()[0], "cat", "/run/secrets/api_key") == "n" * 40


def test_logs_outlive_their_tasks(serving: Stack) -> None:
    """Each slot has a volume of logs, to which the next task of that slot adds."""

    def lines() -> int:
        logged = [docker("exec", each, "cat", "/app/logs/tiny.log") for each in serving.containers()]
        return sum(len(each.splitlines()) for each in logged)

    before = lines()
    serving.deploy(1)
    assert lines() > before
    volumes = docker("volume", "ls", "--quiet", "--filter", f"name={serving.name}-logs").split()
    assert sorted(volumes) == [f"{serving.name}-logs-1", f"{serving.name}-logs-2"]
