from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from dockyard.errors import SettingsError
from dockyard.settings import Settings, Source, keys, load
from dockyard.settings.fields import PATTERNS
from dockyard.settings.sources import SWITCHES
from support import SECRET, sentences


@pytest.fixture
def read(project):
    """Load the project's settings with a [tool.dockyard] table, an environment and arguments."""

    def read(table: str = "", environment: dict[str, str] | None = None, **arguments: Any):
        with (project / "pyproject.toml").open("a", encoding="utf-8") as stream:
            stream.write(table)
        dotted = {name.replace("__", "."): value for name, value in arguments.items()}
        return load(dotted, start=project, environment=environment or {})

    return read


@pytest.fixture
def refuse(read):
    """Load settings that are wrong, and return the lines that say why."""

    def refuse(*given: Any, **arguments: Any) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            read(*given, **arguments)
        return sentences(caught.value)[1].splitlines()

    return refuse


def test_defaults(read, project):
    """A project that says nothing has its name and version, and a default for all else."""
    loaded = read()
    settings = loaded.settings

    assert (settings.image, settings.version, settings.root) == ("tiny-service", "1.2.3", project)
    assert settings.reference == "tiny-service:prod"
    assert settings.matrix_reference == "tiny-service:1.2.3-py3.12"
    assert settings.state == project / ".dockyard"
    assert (settings.run.address, settings.run.port) == ("127.0.0.1", 8000)
    assert loaded.source("run.port") is Source.DEFAULT


def test_found_upwards(project):
    """The nearest pyproject.toml above the working folder is the project's."""
    below = project / "src" / "deep"
    below.mkdir(parents=True)

    assert load(start=below, environment={}).settings.root == project


def test_working_folder(project, monkeypatch):
    """Without a start the working folder and the process environment are read."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("DOCKYARD_TAG", "candidate")

    assert load().settings.reference == "tiny-service:candidate"


def test_unnamed_project(tmp_path):
    """Without a [project] table the folder gives the image its name."""
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")

    settings = load(start=folder, environment={}).settings

    assert (settings.image, settings.version) == ("plain", "0")


PORTS = [
    ("", {}, {}, 8000, Source.DEFAULT),
    ("[tool.dockyard.run]\nport = 1001", {}, {}, 1001, Source.PYPROJECT),
    ("[tool.dockyard.run]\nport = 1001", {"DOCKYARD_RUN_PORT": "1002"}, {}, 1002, Source.ENVIRONMENT),
    ("[tool.dockyard.run]\nport = 1001", {"DOCKYARD_RUN_PORT": "1002"}, {"run__port": "1003"}, 1003, Source.ARGUMENT),
    ("[tool.dockyard.run]\nport = 1001", {}, {"run__port": "1003"}, 1003, Source.ARGUMENT),
]


@pytest.mark.parametrize(("table", "environment", "arguments", "port", "source"), PORTS)
def test_ranks(read, table, environment, arguments, port, source):
    """A default yields to pyproject.toml, that to the environment, that to an argument; the winner is known."""
    loaded = read(table, environment, **arguments)

    assert loaded.settings.run.port == port
    assert loaded.source("run.port") is source
    assert loaded.source("run.name") is Source.DEFAULT


@pytest.mark.parametrize("nothing", [None, "", (), [], {}])
def test_not_given(read, nothing):
    """An argument without a value was not given."""
    loaded = read("[tool.dockyard]\ntag = 'mine'", tag=nothing)

    assert loaded.settings.tag == "mine"
    assert loaded.source("tag") is Source.PYPROJECT


def test_tables(read):
    """Tables are merged key by key, and a table's source is the strongest of its keys'."""
    loaded = read("[tool.dockyard.build]\nargs = { ONE = '1', TWO = '2' }", build__args__TWO="3")

    assert loaded.settings.build.args == {"ONE": "1", "TWO": "3"}
    assert loaded.source("build.args.ONE") is Source.PYPROJECT
    assert loaded.source("build.args") is Source.ARGUMENT
    assert loaded.source("build.labels") is Source.DEFAULT


def is_list(key: str) -> bool:
    """Whether a key holds a list."""
    model: Any = Settings
    *tables, last = key.split(".")
    for table in tables:
        model = model.model_fields[table].annotation
    return str(model.model_fields[last].annotation).startswith("tuple")


LISTS = {
    "pythons": ("3.12, 3.13,", ("3.12", "3.13")),
    "build.platforms": ("linux/amd64,linux/arm64", ("linux/amd64", "linux/arm64")),
    "dev.command": ("python,-m,service", ("python", "-m", "service")),
    "smoke.log_fields": ("ts", ("ts",)),
    "logs.time": ("at,when", ("at", "when")),
    "logs.level": ("lvl", ("lvl",)),
    "logs.event": ("what", ("what",)),
    "logs.request_id": ("rid,trace", ("rid", "trace")),
    "logs.route": ("url", ("url",)),
    "logs.milliseconds": ("took", ("took",)),
    "logs.traceback": ("trace", ("trace",)),
    "audit.registries": ("docker.io/library,registry.corp", ("docker.io/library", "registry.corp")),
    "audit.public": ("/health,/ready", ("/health", "/ready")),
    "audit.writable": ("/app/cache", ("/app/cache",)),
    "audit.setuid": ("/usr/bin/su", ("/usr/bin/su",)),
    "audit.contract_except": ("AUTH", ("AUTH",)),
    "audit.models": ("/app/*.onnx", ("/app/*.onnx",)),
    "audit.manifests": ("deploy/*.yaml", ("deploy/*.yaml",)),
    "bundle.locks": ("a.txt,b.txt", ("a.txt", "b.txt")),
    "sbom.allow": ("MIT,BSD-*", ("MIT", "BSD-*")),
    "sbom.deny": ("GPL-3.0-only", ("GPL-3.0-only",)),
    "push.tags": ("{version},{commit}", ("{version}", "{commit}")),
    "push.moving": ("latest,edge-*", ("latest", "edge-*")),
    "deploy.ingress": ("namespace/front,app=web", ("namespace/front", "app=web")),
    "deploy.egress": ("10.0.0.0/8:5000,*:443", ("10.0.0.0/8:5000", "*:443")),
    "deploy.dns": ("*", ("*",)),
    "deploy.spread": ("kubernetes.io/hostname", ("kubernetes.io/hostname",)),
    "deploy.swarm.networks": ("edge,metrics", ("edge", "metrics")),
    "deploy.swarm.constraints": ("node.role==worker", ("node.role==worker",)),
    "deploy.swarm.health": ("python,check.py", ("python", "check.py")),
}


@pytest.mark.parametrize("key", [key for key in keys() if is_list(key)])
def test_lists(read, key):
    """Every key that holds a list takes a comma-separated one from the environment."""
    text, expected = LISTS[key]
    value: Any = read(environment={f"DOCKYARD_{key.replace('.', '_').upper()}": text}).settings
    for part in key.split("."):
        value = getattr(value, part)

    assert value == expected


@pytest.mark.parametrize("name", [*sorted(SWITCHES), "DOCKY", "HOME", "API_KEY"])
def test_other_variables(read, name):
    """The switches of the tests, and variables that are not dockyard's, are no settings."""
    assert read(environment={name: "1"}).sources.keys() == {"image", "version"}


@pytest.mark.parametrize(
    ("table", "environment", "line"),
    [
        (
            "[tool.dockyard]\nimagee = 'a'",
            {},
            "pyproject.toml [tool.dockyard] imagee: no such key; did you mean image?",
        ),
        (
            "[tool.dockyard.run]\nprot = 1",
            {},
            "pyproject.toml [tool.dockyard.run] prot: no such key; did you mean run.port?",
        ),
        (
            "[tool.dockyard.smoke]\ntolerence = 1",
            {},
            "pyproject.toml [tool.dockyard.smoke] tolerence: no such key; did you mean smoke.tolerance?",
        ),
        ("[tool.dockyard.rum]\nport = 1", {}, "pyproject.toml [tool.dockyard] rum: no such key; did you mean run?"),
        ("[tool.dockyard]\nzzzzzz = 1", {}, "pyproject.toml [tool.dockyard] zzzzzz: no such key."),
        ("", {"DOCKYARD_RUN_PROT": "1"}, "DOCKYARD_RUN_PROT: no such variable; did you mean DOCKYARD_RUN_PORT?"),
        ("", {"DOCKYARD_ROOT": "/"}, "DOCKYARD_ROOT: no such variable; did you mean DOCKYARD_TAG?"),
    ],
)
def test_unknown(refuse, table, environment, line):
    """A key that is not known is refused at every level, with the nearest one that is."""
    assert refuse(table, environment) == [line]


@pytest.mark.parametrize(
    ("table", "environment", "arguments", "line"),
    [
        ("[tool.dockyard.run]\nport = 70000", {}, {}, "pyproject.toml [tool.dockyard.run] port: Input should be less"),
        ("", {"DOCKYARD_RUN_PORT": "abc"}, {}, "DOCKYARD_RUN_PORT: Input should be a valid integer"),
        ("", {}, {"run__port": "abc"}, "--port: Input should be a valid integer"),
        ("", {}, {"python": "3"}, "--python: must be a Python version, like 3.12 (it is '3')"),
        ("", {"DOCKYARD_PYTHONS": "3.12,x"}, {}, "DOCKYARD_PYTHONS: must be a Python version, like 3.12 (it is 'x')"),
        ("[tool.dockyard.run]\nmemory = '1 GB'", {}, {}, "pyproject.toml [tool.dockyard.run] memory: must be a size"),
        ("[tool.dockyard]\nrun = 'fast'", {}, {}, "pyproject.toml [tool.dockyard] run: Input should be a valid dict"),
        ("", {"DOCKYARD_BUILD_ARGS": "A=1"}, {}, "DOCKYARD_BUILD_ARGS: is a table: write it in pyproject.toml"),
    ],
)
def test_wrong_value(refuse, table, environment, arguments, line):
    """A wrong value is said with the place to mend, the rule and the value."""
    (told,) = refuse(table, environment, **arguments)

    assert told.startswith(line)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("image", ["a", "team/house-pricing_api.v2"], ["A", "-a", "a b", "a:b", "a//b", "a\n"]),
        ("tag", ["prod", "1.0_2-x", "A" * 128], ["-a", "a b", "A" * 129, "a/b", ""]),
        ("python", ["3.9", "3.14"], ["3", "3.12.1", "2.7", "3.123", "three"]),
        ("build.base", ["python:{python}-slim", "base:1", "a@sha256:0"], ["a:{version}", "a:{", "a:}", "{}"]),
        ("run.name", ["api-prod", "A_1.x"], ["-a", "a", "a b", "a/b"]),
        ("run.memory", ["512m", "1g", "900k"], ["512", "1.5g", "1gb", "512M"]),
        ("run.user", ["1000:1000", "0:0"], ["1000", "app:app", "1000:"]),
        ("run.restart", ["no", "always", "unless-stopped", "on-failure", "on-failure:5"], ["never", "on-failure:"]),
        ("run.cpus", ["0.5", "2"], ["0", "-1", "many"]),
        ("run.wait", ["0.5", "60"], ["0", "soon"]),
        ("run.port", ["0", "65535"], ["-1", "65536"]),
        ("run.pids", ["1"], ["0", "1.5"]),
        ("run.log_files", ["1"], ["0"]),
        ("run.stop_timeout", ["1"], ["0"]),
        ("run.watch", ["0", "30", "0.5"], ["-1", "inf"]),
        ("run.keep_releases", ["1"], ["0", "1.5"]),
        ("run.key_length", ["1"], ["0"]),
        ("dev.name", ["api-dev"], ["-a"]),
        ("version", ["1.2.3", "2026.1-rc1"], ["1+local", "-1"]),
        ("smoke.tolerance", ["0", "1e-3"], ["-1"]),
        ("deploy.image", ["a", "r.corp:5000/t/a", f"a@sha256:{'0' * 64}"], ["-a", "a b", "a@sha256:0", "a@md5:1"]),
        ("deploy.name", ["a", "shop-1", "a" * 50], ["1a", "A", "a_b", "-a", "a-", "a" * 51]),
        ("deploy.secret_key", ["api_key", "KEY.txt"], ["a/b", "a b"]),
        ("deploy.memory", ["512m", "1g"], ["512", "1Gi"]),
        ("deploy.replicas", ["1", "6"], ["0", "many"]),
        ("deploy.max_replicas", ["2", "60"], ["1", "0"]),
        ("deploy.cpu_target", ["1", "100"], ["0", "101"]),
        ("deploy.port", ["1", "65535"], ["0", "65536"]),
        ("deploy.logs", ["emptyDir", "pvc"], ["hostPath"]),
        ("deploy.wait", ["11", "900"], ["10", "0"]),
    ],
)
def test_rules(read, refuse, key, good, bad):
    """Each rule lets pass what it says, and nothing else."""
    variable = f"DOCKYARD_{key.replace('.', '_').upper()}"
    for value in good:
        kept: Any = read(environment={variable: value}).settings
        for part in key.split("."):
            kept = getattr(kept, part)
        assert kept == type(kept)(value)
    for value in bad:
        (line,) = refuse("", {variable: value})
        assert line.startswith(f"{variable}: ")


def test_patterns_in_words():
    """Every pattern of the schema has words for people."""

    def patterns(model: type[BaseModel]) -> set[str]:
        found = set()
        for field in model.model_fields.values():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                found |= patterns(field.annotation)
            found |= {each.pattern for each in field.metadata if getattr(each, "pattern", None)}
        return found

    assert patterns(Settings) <= PATTERNS.keys()


def test_all_at_once(refuse, project):
    """Every mistake is told in one go, whatever its source, and nothing else."""
    table = "[tool.dockyard]\nimagee = 'a'\n[tool.dockyard.run]\nport = 70000\nprot = 1\n"
    lines = refuse(table, {"DOCKYARD_RUN_CPUS": "none", "DOCKYARD_NO": "1"}, python="3")

    assert sorted(line.split(":")[0] for line in lines) == [
        "--python",
        "DOCKYARD_NO",
        "DOCKYARD_RUN_CPUS",
        "pyproject.toml [tool.dockyard.run] port",
        "pyproject.toml [tool.dockyard.run] prot",
        "pyproject.toml [tool.dockyard] imagee",
    ]


@pytest.mark.parametrize("count", [1, 2])
def test_counted(read, count):
    """The first line counts the mistakes, and the last names the page that describes every key."""
    with pytest.raises(SettingsError) as caught:
        read(environment={f"DOCKYARD_NO{number}": "" for number in range(count)})

    what, _, todo = sentences(caught.value)
    assert what == (
        "One setting is wrong; nothing was done." if count == 1 else "2 settings are wrong; nothing was done."
    )
    assert "docs/settings.md" in todo


@pytest.mark.parametrize("name", ["API_KEY", "pypi_token", "MY_SECRET_X", "DB_PASSWORD", "PASSWD", "AWS_CREDENTIALS"])
@pytest.mark.parametrize("table", ["build.args", "build.labels", "run.env", "dev.env"])
def test_secret_names(refuse, table, name):
    """What sounds like a secret is refused where all could read it, and its value is not printed."""
    section, key = table.split(".")
    (line,) = refuse(f"[tool.dockyard.{section}]\n{key} = {{ {name} = '{SECRET}', FINE = '1' }}")

    assert line.startswith(f"pyproject.toml [tool.dockyard.{section}] {key}: {name} would be readable")
    assert SECRET not in line
    assert "FINE" not in line


def test_secret_argument(refuse):
    """A secret given by --build-arg is refused as an argument, and not printed."""
    (line,) = refuse(build__args__API_KEY=SECRET)

    assert line.startswith("--build-arg: API_KEY would be readable")
    assert SECRET not in line


def test_secret_file_names(read):
    """The name of a file that holds a secret is no secret."""
    assert read("[tool.dockyard.run]\nenv = { API_KEY_FILE = '/x' }").settings.run.env == {"API_KEY_FILE": "/x"}


INDEX = f"https://user:{SECRET}@index.corp/simple"


def test_index_hidden(read):
    """The package index, which may hold a password, is in no text of the settings."""
    settings = read(environment={"DOCKYARD_NETWORK_INDEX_URL": INDEX}).settings

    assert settings.network.index_url.get_secret_value() == INDEX
    assert SECRET not in f"{settings} {settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "table",
    [
        f"[tool.dockyard.network]\nindex_url = ['{INDEX}']",
        f"[tool.dockyard.network.index_url]\nurl = '{INDEX}'",
        f"[tool.dockyard.network]\nindex_urls = '{INDEX}'",
        f"[tool.dockyard]\nnetwork = '{INDEX}'",
        f"[tool.dockyard.dev]\nkey = ['{SECRET}']",
    ],
    ids=["list", "table", "misspelt", "flat", "key"],
)
def test_index_in_error(refuse, table):
    """However wrong the package index or the key is given, no error prints it."""
    assert SECRET not in "".join(refuse(table))


def test_frozen(settings):
    """Settings cannot be changed once they are read."""
    with pytest.raises(ValidationError):
        settings.run.port = 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[tool.dockyard\n", "line 1"),
        (b"[tool.dockyard]\nimage = \n", "line 2"),
        (b"\xff\xfe", "utf-8"),
    ],
)
def test_broken_toml(project, content, reason):
    """A pyproject.toml that cannot be read is named, with the line that is wrong."""
    (project / "pyproject.toml").write_bytes(content)

    with pytest.raises(SettingsError) as caught:
        load(start=project, environment={})

    what, why, _ = sentences(caught.value)
    assert what == f"{project / 'pyproject.toml'} cannot be read."
    assert reason in why


@pytest.mark.parametrize(
    "content", ["tool = 5", "[tool]\ndockyard = 5", "project = 5", "[[tool.dockyard]]\nimage = 'a'"]
)
def test_no_tables(project, content):
    """Tables that are no tables are a mistake of the user, and not of ours."""
    (project / "pyproject.toml").write_text(content)

    with pytest.raises(SettingsError) as caught:
        load(start=project, environment={})

    sentences(caught.value)


def test_no_pyproject(tmp_path):
    """Without a pyproject.toml anywhere above, the error says where it was looked for."""
    with pytest.raises(SettingsError) as caught:
        load(start=tmp_path, environment={})

    what, why, todo = sentences(caught.value)
    assert what == "There is no pyproject.toml here."
    assert str(tmp_path.resolve()) in why
    assert "[tool.dockyard]" in todo


def test_keys():
    """Every key that can be set is listed once, dotted; the root is found and not set."""
    listed = list(keys())

    assert len(listed) == len(set(listed))
    assert {"image", "run.port", "network.index_url", "smoke.log_fields"} <= set(listed)
    assert "root" not in listed
    assert "run" not in listed


def test_described():
    """Every key has a sentence that says what it is for."""
    for key in keys():
        model: Any = Settings
        *tables, last = key.split(".")
        for table in tables:
            model = model.model_fields[table].annotation
        assert (model.model_fields[last].description or "").endswith((".", "`")), key


def test_relative_start(project, monkeypatch):
    """The root is an absolute path, wherever the search began."""
    monkeypatch.chdir(project)

    assert load(start=Path(), environment={}).settings.root == project
