"""The readers that rules share: commands, accounts, health checks, settings classes, layers that hide each other."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

import pytest

from dockyard.audit.facts import accounts, contract, hidden, probing
from dockyard.audit.facts.configured import ours
from dockyard.audit.facts.instructions import commands, parsed
from dockyard.audit.rules.seed_stages import installer
from dockyard.dockerfile import parse
from dockyard.image.model import parents

from .rules.samples import SETTINGS, File, image, program


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a && b c; d | e", [("a",), ("b", "c"), ("d",), ("e",)]),
        ("X=1 Y='2 3' exec pip install x", [("pip", "install", "x")]),
        ("if true; then pip install x; fi", [("true",), ("pip", "install", "x"), ("fi",)]),
        ("echo 'pip install; rm'", [("echo", "pip install; rm")]),
        ("a \\\n b", [("a", "b")]),
        ("# pip install\na", [("a",)]),
        ("x $(pip list)", [("pip", "list"), ("x", "$"), ("pip", "list")]),
        ('x "$(apt-get update)"', [("apt-get", "update"), ("x", "$(apt-get update)")]),
        ("bash -ec 'a; b'", [("bash", "-ec", "a; b"), ("a",), ("b",)]),
        ("cat <<EOF > f\npip install\nEOF\nb", [("cat", ">", "f"), ("b",)]),
        ("a 'not closed", [("a", "'not", "closed")]),
    ],
)
def test_commands(script, expected):
    """The commands of a script are found as a shell would find them."""
    assert list(parsed(script)) == expected


def test_heredoc_of_another_interpreter():
    """What another interpreter reads is no shell's script."""
    text = "FROM x\nRUN <<EOF\n#!/usr/bin/env python3\npip = 1\nEOF\nRUN python - <<EOF\npip install\nEOF\n"
    found = [command for each in parse(text, args={}, name="D").instructions[1:] for command in commands(each)]

    assert [command[0] for command in found] == ["python"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pip install x", "pip"),
        ("/opt/venv/bin/pip3.12 install x", "pip3.12"),
        ("python -m pip install x", "pip"),
        ("with-network uv pip install x", "uv"),
        ("xargs apt-get install", "apt-get"),
        ("apt-get -y install x", "apt-get"),
        ("poetry install", "poetry"),
        ("npm ci", "npm"),
        ("dpkg -i x.deb", "dpkg"),
        ("pip uninstall --yes pip", None),
        ("python -m pip uninstall pip", None),
        ("apt-get purge curl", None),
        ("echo pip install", None),
        ("rm -rf /usr/bin/pip", None),
        ("python -m service", None),
    ],
)
def test_installer(words, expected):
    """An installer is seen behind other programs, and removing is no installing."""
    assert installer(tuple(words.split())) == expected


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("1000:1000", (1000, 1000)),
        ("1000", (1000, 1000)),
        ("appuser", (1000, 1000)),
        ("appuser:root", (1000, 0)),
        ("2000", (2000, 0)),
        ("nobody", (None, 0)),
        ("1000:nogroup", (1000, None)),
        ("", (0, 0)),
    ],
)
def test_runtime_user(user, expected):
    """The numbers of the processes are those that Docker takes: without a row, the group is root."""
    found = accounts.runtime(image(None, {"User": user}))

    assert (found.uid, found.gid) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("shop", True),
        ("shop:prod", True),
        ("registry.example:5000/team/shop:1", True),
        ("registry.example:5000/shop@sha256:00", True),
        ("workshop:prod", False),
        ("shop/other:prod", False),
    ],
)
def test_own_images(reference, expected):
    """An image is known by its name, whatever its registry and tag."""
    assert ours(image(reference=reference), SETTINGS) is expected


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["python", "-m", "service.nothing"], "was not found"),
        (["python", "-Im", "service.check"], ""),
        (["python", "-X", "dev", "-c", "import socket"], ""),
        (["python", "service/check.py"], ""),
        (["/app/check"], ""),
        (["/app/elf"], "is no Python"),
        (["python", "-V"], "names no code"),
    ],
)
def test_source_of_a_health_check(argv, reason):
    """The code is found as Python finds it, and where it is not, the reason is told."""
    files = {"/app/check": program("#!/usr/bin/env python3\nimport socket\n"), "/app/elf": program()}

    assert reason in probing.source(image(files), tuple(argv)).reason


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("urlopen(u, None, 2)", 2),
        ("T = 4\nget(timeout=T)", 4),
        ("get(timeout=config.health_timeout)", 3),
        ("t = config.health_timeout\nget(timeout=t)", 3),
        ("t = t\nget(timeout=t)", None),
        ("get(timeout=read())", None),
        ("get(timeout=float(2))", 2),
        ("get(timeout=float(os.environ.get('HEALTH_TIMEOUT', '9')))", 3),
        ("get(timeout=float(os.getenv('OTHER', '9')))", 9),
        ("get(timeout=float(os.environ['HEALTH_TIMEOUT']))", 3),
        ("get(timeout=float(os.environ['OTHER']))", None),
        ("s.settimeout(None)", float("inf")),
    ],
)
def test_timeouts(code, expected):
    """A timeout counts by its constant, or by the variable that its setting is called after."""
    assert [each.seconds for each in probing.timeouts(ast.parse(code), {"HEALTH_TIMEOUT": "3"})] == [expected]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("r = c.getresponse()\nsys.exit(r.status != 200)", True),
        ("status = c.getresponse().status\nassert status == 200", True),
        ("urlopen(u)", True),
        ("b' 200 ' in s.recv(99)", True),
        ("print(c.getresponse().status)", False),
        ("s.connect(('127.0.0.1', 8000))", False),
    ],
)
def test_status(code, expected):
    """A status that is only printed is not tested."""
    assert probing.tests_status(ast.parse(code)) is expected


def test_contract_of_pydantic_settings():
    """Prefix, secret types, class variables and private names are read as pydantic reads them."""
    code = (
        "class S(BaseSettings):\n model_config = SettingsConfigDict(env_prefix='app_')\n port: int = 1\n"
        " password: str\n token: SecretStr\n key: str = Field(secret=False)\n kinds: ClassVar[int] = 1\n _x: int = 2\n"
    )
    found = {field.name: field.secret for field in contract.fields(code, "S") or ()}

    assert found == {"APP_PORT": False, "APP_PASSWORD": True, "APP_TOKEN": True, "APP_KEY": False}
    assert contract.fields(code, "Other") is None


@pytest.mark.parametrize(
    ("files", "deleted", "expected"),
    [
        ({}, ("/a/b/c",), 2),
        ({}, ("/a",), 2),
        ({"/a/b/c": File("y")}, (), 2),
        ({"/a": File("y")}, (), 2),
        ({"/z": File()}, (), None),
    ],
)
def test_hidden_by(files, deleted, expected):
    """A file is hidden by a whiteout of it or of a folder above, and by whatever takes its place or its folder's."""
    assert hidden.hidden_by(image({"/a/b/c": File()}, later=files, deleted=deleted), 1, "/a/b/c") == expected


def test_parents():
    """The folders above a path are all of them, the root too."""
    assert set(parents("/a/b/c")) == {str(each) for each in PurePosixPath("/a/b/c").parents}
