from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from types import SimpleNamespace

import pytest

from dockyard import machine, pipeline, smoke
from dockyard.machine import Finding
from dockyard.settings.key import STORED
from dockyard.smoke import Answer, Result
from dockyard.tasks import namespace
from support import BASE, IMAGE, SECRET, container, recorded

TASKS = {
    "audit",
    "build",
    "bundle",
    "cache",
    "ci",
    "clean",
    "doctor",
    "deploy",
    "explain",
    "logs",
    "notes",
    "pin",
    "push",
    "reproduce",
    "rollback",
    "rotate-key",
    "run",
    "sbom",
    "settings",
    "setup",
    "shell",
    "size",
    "smoke",
    "stats",
    "status",
    "stop",
    "up",
}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_flags(name):
    """The short form of a flag is a letter, where there is one."""
    flags = [flag for each in namespace[name].get_arguments() for flag in each.names if len(flag) == 1]
    assert all(flag.isalpha() for flag in flags)


def test_list(invoke):
    """Every task is listed with what it does."""
    assert set(namespace.task_names) == TASKS
    listed = invoke("--list").out

    for task in namespace.tasks.values():
        assert (task.__doc__ or "").splitlines()[0].rstrip(".") in listed


def test_help():
    """Every option of every task says what it is for; only a fresh process sees it, for Invoke takes help away."""
    script = (
        "from dockyard.tasks import namespace as tasks\n"
        "print(*[f'{name} {each.name}' for name in tasks.task_names for each in tasks[name].get_arguments()"
        " if not each.help], sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("line", "code", "what"),
    [
        ("status", 3, "error: The Docker engine does not answer."),
        ("logs", 3, "error: The Docker engine does not answer."),
        ("stop", 3, "error: The Docker engine does not answer."),
        ("clean", 3, "error: The Docker engine does not answer."),
        ("smoke", 3, "error: The Docker engine does not answer."),
        ("build", 3, "error: The Docker engine does not answer."),
        ("up", 3, "error: The Docker engine does not answer."),
        ("run", 3, "error: The Docker engine does not answer."),
        ("run --prod", 2, "error: There is no API key, so nothing was started."),
        ("run --prod --port 70000", 2, "error: One setting is wrong; nothing was done."),
        ("run --prod --env-file none", 2, "error: none cannot be read."),
        ("run --env-file none", 2, "error: --env-file is for --prod."),
        ("build --python 3", 2, "error: One setting is wrong; nothing was done."),
        ("build --progress loud", 2, "error: --progress loud is unknown."),
        ("build --build-arg =1", 2, "error: --build-arg =1 says nothing."),
        ("build --build-arg API_KEY=x", 2, "error: One setting is wrong; nothing was done."),
        ("smoke --format yaml", 2, "error: --format yaml is unknown."),
        ("smoke --build --image a:b", 2, "error: It is not clear which image is meant."),
        ("logs --lines many", 2, "error: --lines many is unknown."),
        ("logs --since soon", 2, "error: --since soon is unknown."),
        ("logs --level loud", 2, "error: --level loud is unknown."),
        ("stats", 3, "error: The Docker engine does not answer."),
        ("stats --format yaml", 2, "error: --format yaml is unknown."),
        ("clean --volumes", 2, "error: Nothing was removed: volumes are, only after a question."),
        ("clean --volumes --yes", 3, "error: The Docker engine does not answer."),
        ("shell", 2, "error: A shell needs a terminal."),
        ("rollback", 3, "error: The Docker engine does not answer."),
        ("rollback --list", 3, "error: The Docker engine does not answer."),
        ("rollback --format json", 2, "error: --format json is for --list."),
        ("rollback --list --format yaml", 2, "error: --format yaml is unknown."),
        ("rotate-key", 3, "error: The Docker engine does not answer."),
        ("rotate-key --finish", 3, "error: The Docker engine does not answer."),
        ("rotate-key --finish --overlap 3", 2, "error: It is not clear what is meant."),
        ("rotate-key --ask --env-file one", 2, "error: It is not clear what is meant."),
        ("rotate-key --ask", 2, "error: --ask needs a terminal."),
        ("rotate-key --overlap soon", 2, "error: --overlap soon is unknown."),
    ],
)
def test_refused(invoke, line, code, what):
    """Without an engine, or with a wrong word, a command ends with its code and three lines, and no traceback."""
    done = invoke(line)

    assert (done.code, done.err.splitlines()[0]) == (code, what)
    assert done.out == ""
    assert len(done.err.splitlines()) >= 3
    assert "Traceback" not in done.err


def test_wrong_settings(invoke, project):
    """A wrong key stops every command, with its place."""
    (project / "pyproject.toml").write_text("[tool.dockyard]\nimagee = 'a'\n")
    done = invoke("status")

    assert done.code == 2
    assert "pyproject.toml [tool.dockyard] imagee: no such key; did you mean image?" in done.err


def test_settings(invoke):
    """Settings are printed with their source, without an engine."""
    done = invoke("settings --format json")

    assert done.code == 0
    assert {"key": "image", "value": "tiny-service", "from": "pyproject.toml"} in json.loads(done.out)


def test_build(invoke, on_engine, recorder):
    """The options of a build arrive at docker."""
    on_engine._images.add("python:3.13-slim-bookworm")
    done = invoke(
        "build --python 3.13 --tag candidate --platform linux/amd64 --builder other --no-cache --pull"
        " --build-arg ONE=1 --build-arg TWO=2 --target builder --progress plain"
    )

    assert done.code == 0, done.err
    (call,) = recorder.calls
    options = dict(pairwise(call))
    assert "cached" in done.err
    assert {"--no-cache", "--pull", "ONE=1", "TWO=2", "PYTHON_VERSION=3.13"} <= set(call)
    assert (options["--platform"], options["--builder"], options["--target"]) == ("linux/amd64", "other", "builder")


@pytest.mark.usefixtures("saved")
def test_build_reproducible(invoke, on_engine, recorder):
    """A reproducible build runs every step, and loads what it wrote."""
    recorder.lay_builder("docker-container")
    done = invoke("build --reproducible --progress quiet")

    assert done.code == 0, done.err
    build, load = recorder.calls
    assert {"--no-cache", "tiny-service:prod"} <= set(build)
    assert load[:2] == ["image", "load"]


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("build", ["tiny-service:prod", "tiny-service:1.2.3-py3.12"]),
        ("build --python 3.12", ["tiny-service:prod", "tiny-service:1.2.3-py3.12"]),
        ("build --python 3.13", ["tiny-service:1.2.3-py3.13"]),
        ("build --python 3.13 --tag new", ["tiny-service:new", "tiny-service:1.2.3-py3.13"]),
        ("build --target builder", ["tiny-service:1.2.3-py3.12-builder"]),
    ],
)
def test_build_tags(invoke, on_engine, recorder, line, tags):
    """What `run` starts is replaced by a build of its own Python, or under a tag that was asked for; else not."""
    on_engine._images.add("python:3.13-slim-bookworm")
    assert invoke(line).code == 0

    (call,) = recorder.calls
    assert [word for before, word in pairwise(call) if before == "--tag"] == tags


@pytest.mark.parametrize(("progress", "shown"), [("plain", True), ("auto", True), ("quiet", False)])
def test_build_progress(invoke, on_engine, recorder, progress, shown):
    """Piped, a build is lines, or nothing; the cache is used unless it was refused."""
    recorder.answer("buildx build", error=recorded("buildkit/built.txt"))
    done = invoke(f"build --progress {progress}")

    assert ("[builder 2/2] RUN printf" in done.err) is shown
    assert "--no-cache" not in recorder.calls[0]


def test_failing_build(invoke, on_engine, recorder):
    """A build that fails ends with 4."""
    recorder.answer("buildx build", error="ERROR: no such file\n", code=1)
    done = invoke("build")

    assert done.code == 4
    assert done.err.splitlines()[-3:-1] == ["error: Dockerfile cannot be built.", "no such file"]


def test_run_prod(invoke, on_engine, recorder, monkeypatch):
    """The production container is started, and where it answers is the one result."""
    monkeypatch.setenv("API_KEY", SECRET)
    done = invoke("run --prod --name mine --quiet")

    assert done.code == 0
    assert done.out.startswith("mine healthy after ")
    assert done.err == ""
    assert SECRET not in json.dumps(recorder.told) + done.out


def test_run_dev(invoke, on_engine):
    """Without --prod it is the development container, under the name that was given."""
    assert invoke("run").out.startswith("api-dev healthy after ")
    assert invoke("run --name mine").out.startswith("mine healthy after ")


def test_run_asks(invoke, on_engine, monkeypatch):
    """Where a person sits at a terminal the key is asked for."""
    monkeypatch.setattr(pipeline, "asker", lambda: lambda: SECRET)
    done = invoke("run --prod")

    assert done.code == 0
    assert "API key: from the keyboard." in done.err


def test_shell(invoke, on_engine, recorder, monkeypatch):
    """At a terminal a Python shell is opened in the container that is meant."""
    on_engine._there["dev-1"] = container(id="dev-1", name="api-dev")
    on_engine._fates["dev-1"] = []
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    opened = []
    monkeypatch.setattr(recorder.buildx, "shell", lambda *given: opened.append(given))

    assert invoke("shell --dev").code == 0
    assert opened == [("api-dev", ["python"])]


def test_unhealthy(invoke, on_engine):
    """A container that does not become healthy ends with 6."""
    on_engine._fate[:] = [{"status": "exited", "exit_code": 1}]
    done = invoke("run")

    assert done.code == 6
    assert "with exit code 1." in done.err


def test_ctrl_c(invoke, on_engine):
    """Ctrl-C in a wait ends with 130, and nothing is left."""
    on_engine._fate[:] = [KeyboardInterrupt()]
    done = invoke("run")

    assert done.code == 130
    assert on_engine.names() == {}


def test_up(invoke, on_engine, project, recorder):
    """`up` builds, makes a key on the first run, starts, and says that there was no prediction to ask for."""
    done = invoke("up")

    assert done.code == 0
    assert done.out.startswith("api-prod healthy after ")
    key = (project / ".dockyard" / STORED).read_text().strip()
    assert key not in done.out + done.err + json.dumps(recorder.calls)
    assert done.err.splitlines()[-1].startswith("No prediction was asked for")
    kinds = [" ".join(call[:2]) for call in recorder.calls]
    assert [kinds[0], kinds[-1]] == ["buildx build", "container start"]


def test_up_prediction(invoke, on_engine, project, monkeypatch):
    """Where there is a golden prediction it is asked for, and shown with its answer."""
    (project / "golden.json").write_text(
        '{"cases": [{"name": "one", "request": {"rooms": 3}, "expected": {"price": 5}}]}'
    )
    monkeypatch.setenv("DOCKYARD_SMOKE_GOLDEN", "golden.json")
    monkeypatch.setattr(smoke.Target, "predict", lambda *_, **__: Answer(status=200, body='{"price": 5}'))
    on_engine.files = {"run/secrets/api_key": SECRET.encode()}

    assert invoke("up").out.splitlines()[1:] == [
        "POST http://127.0.0.1:8000/predict",
        '{"rooms": 3}',
        '{"price": 5}',
    ]


def test_up_env_file(invoke, on_engine, project):
    """A key that is given by a file is taken, and none is made."""
    (project / ".env").write_text(f"API_KEY={SECRET}\n")

    assert invoke("up --env-file .env").code == 0
    assert not (project / ".dockyard" / STORED).exists()


@pytest.mark.parametrize(("flag", "name"), [("", "api-prod"), (" --dev", "api-dev")])
@pytest.mark.parametrize("line", ["stop"])
def test_dev(invoke, on_engine, line, flag, name):
    """A command means the production container, or the development one where that is said."""
    for each in ("api-prod", "api-dev"):
        on_engine._there[each] = container(id=each, name=each, status="exited", mounts={})
        on_engine._fates[each] = []
    done = invoke(line + flag)

    assert done.code == 0
    assert name in done.out + done.err
    assert {"api-prod": "api-dev", "api-dev": "api-prod"}[name] not in done.out + done.err


def test_stop(invoke, on_engine, recorder):
    """The container is stopped with its grace; its code is noted."""
    on_engine._there["old-1"] = container()
    on_engine._fates["old-1"] = []
    done = invoke("stop")

    assert (done.code, done.err) == (0, "api-prod stopped, exit code 0.\n")
    assert recorder.calls == [["container", "stop", "--time", "10", "old-1"]]


@pytest.mark.parametrize(("verdict", "code"), [("pass", 0), ("fail", 6), ("not-run", 0)])
@pytest.mark.parametrize("form", ["table", "json"])
def test_smoke(invoke, on_engine, monkeypatch, verdict, code, form):
    """A failed probe ends with 6, after every result was printed; one that was not run is shown as such."""
    results = (Result(probe="one", verdict=verdict, evidence="why"),)

    def probe(target, announce):
        announce(results[0])
        return results

    on_engine.files = {"run/secrets/api_key": SECRET.encode()}
    monkeypatch.setattr(smoke, "probe", probe)
    done = invoke(f"smoke --image tiny-service:prod --format {form}")

    assert done.code == code
    if form == "json":
        assert [each["verdict"] for each in json.loads(done.out)] == [verdict, "pass"]
    else:
        assert done.out.split()[:3] == [verdict, "one", "why"]
        assert "{" not in done.out


@pytest.fixture
def probed(on_engine, monkeypatch):
    """The images whose containers were probed; each has a key and passes."""
    images = []
    on_engine._images |= {f"python:{python}-slim-bookworm" for python in ("3.12", "3.13")}
    on_engine._images |= {f"{IMAGE}:1.2.3-py{python}" for python in ("3.12", "3.13")}

    def probe(target, announce):
        images.append(target.facts.image)
        return (Result(probe="one", verdict="pass", evidence=""),)

    on_engine.files = {"run/secrets/api_key": SECRET.encode()}
    monkeypatch.setattr(smoke, "probe", probe)
    return images


def test_smoke_running(invoke, on_engine, probed, recorder):
    """Without a word about an image it is the running container that is probed."""
    on_engine._there["old-1"] = container(image="the running one")
    on_engine._fates["old-1"] = []

    assert invoke("smoke").code == 0
    assert probed == ["the running one"]


@pytest.mark.parametrize(
    ("line", "image", "built"),
    [
        ("smoke --image sha256:1", "sha256:1", False),
        ("smoke --python 3.13", "tiny-service:1.2.3-py3.13", False),
        ("smoke --build", "tiny-service:1.2.3-py3.12", True),
        ("smoke --build --python 3.13", "tiny-service:1.2.3-py3.13", True),
    ],
)
def test_smoke_image(invoke, probed, recorder, line, image, built):
    """An image is probed in a container of its own, built before where that is said."""
    assert invoke(line).code == 0

    builds = recorder.builds
    (made,) = [call for call in recorder.calls if call[0] == "create"]
    assert made[-1] == image
    assert [call[-3:-1] for call in builds] == ([["--tag", image]] if built else [])
    assert "tiny-service:prod" not in str(builds)


@pytest.mark.parametrize(("form", "quiet"), [("table", False), ("json", True)])
def test_smoke_json(invoke, probed, form, quiet):
    """Where JSON was asked for nothing is said on the way."""
    assert (invoke(f"smoke --build --format {form}").err == "") is quiet


def test_clean_images(invoke, on_engine):
    """Images go where that is said."""
    assert invoke("clean --images").out == "image tiny-service:prod\n"
    assert invoke("clean").out == ""


def test_clean(invoke, on_engine):
    """What was removed is the result."""
    on_engine._there["old-1"] = container(mounts={})
    on_engine._fates["old-1"] = []

    assert invoke("clean").out == "container api-prod\n"


@pytest.mark.parametrize(
    ("line", "answer", "goes"),
    [
        ("clean", None, False),
        ("clean --volumes", "no", False),
        ("clean --volumes", "yes", True),
        ("clean --volumes --yes", None, True),
    ],
)
def test_clean_volumes(invoke, on_engine, monkeypatch, line, answer, goes):
    """A volume goes only where that was said, and a person or the command line said yes."""
    on_engine.kept.add("data")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: answer is not None))
    monkeypatch.setattr("builtins.input", lambda: answer)
    done = invoke(line)

    assert done.code == 0
    assert ("data" in on_engine.volumes("")) is not goes
    assert done.out == "volume data\n" * goes
    assert "data" in done.err or line.endswith("--yes")


@pytest.mark.parametrize(
    ("line", "pythons"),
    [
        ("setup", ("3.12",)),
        ("setup --python 3.11 --python 3.13", ("3.11", "3.13")),
        ("setup --every", ("3.12", "3.14")),
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_setup(invoke, on_engine, project, monkeypatch, line, pythons, check):
    """The machine is made ready, or looked at, for the Pythons that were asked for; the table is the result."""
    with (project / "pyproject.toml").open("a") as stream:
        stream.write("[tool.dockyard]\npythons = ['3.12', '3.14']\n")
    asked = []
    found = (Finding(subject="engine", state="found", detail="26.1.5"),)
    monkeypatch.setattr(machine, "look", lambda wanted, *_: asked.append(("look", wanted.pythons)) or found)

    def prepare(wanted, _, announce):
        announce("on the way")
        asked.append(("prepare", wanted.pythons))
        return found

    monkeypatch.setattr(machine, "prepare", prepare)
    done = invoke(line + " --check" * check)

    assert done.code == 0
    assert done.out.splitlines()[1].split() == ["engine", "found", "26.1.5"]
    assert asked == [("look" if check else "prepare", pythons)]
    assert done.err == ("" if check else "on the way\n")

    assert invoke(f"{line} --format json").err == ""


@pytest.mark.parametrize("form", ["table", "json"])
def test_setup_lacks(invoke, on_engine, monkeypatch, form):
    """A machine that lacks something is told in the table, and ends with 3."""
    lacking = (Finding(subject="engine", state="missing", detail="There is none.", todo="Run `invoke setup`."),)
    monkeypatch.setattr(machine, "look", lambda *_: lacking)
    done = invoke(f"setup --check --format {form}")

    assert done.code == 3
    assert "missing" in done.out
    assert json.loads(done.out)[0]["state"] == "missing" if form == "json" else True


def test_real_command_line(project):
    """The two lines of a project's tasks.py are enough for a real `invoke`."""
    (project / "tasks.py").write_text("from dockyard.tasks import namespace\n")
    done = subprocess.run(
        [sys.executable, "-m", "invoke", "status"],
        cwd=project,
        env={**os.environ, "DOCKYARD_BUILD_BASE": BASE},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "error: The Docker engine does not answer."
