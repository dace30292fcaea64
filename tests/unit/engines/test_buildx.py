from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from dockyard.engines import process
from dockyard.engines.buildx import Buildx, CommandError, last_useful_line
from dockyard.engines.messages import MessageDecoder
from dockyard.errors import EngineError
from support import SECRET, chain, leaves_stream, recorded, sentences

CONTEXT = Path("/srv/project")


@pytest.mark.parametrize(
    ("ask", "call"),
    [
        (lambda buildx: buildx.pull("python:3.12"), "image pull --quiet python:3.12"),
        (lambda buildx: buildx.load(Path("/srv/a.tar")), "image load --input /srv/a.tar --quiet"),
        (lambda buildx: buildx.remove_image("a:b"), "image rm --force a:b"),
        (lambda buildx: buildx.tag("a:b", "c:d"), "image tag a:b c:d"),
        (lambda buildx: buildx.run("a:b", ["id", "-u"], user="0:0"), "container run --pull never --user 0:0 a:b id -u"),
        (
            lambda buildx: buildx.create("a:b", ["serve"], name="one"),
            "create --name one --pull never a:b serve",
        ),
        (lambda buildx: buildx.start("one"), "container start one"),
        (lambda buildx: buildx.stop("one", seconds=7), "container stop --time 7 one"),
        (lambda buildx: buildx.rename("one", "two"), "container rename one two"),
        (lambda buildx: buildx.remove("one"), "container rm --force --volumes one"),
        (lambda buildx: buildx.remove_volume("one"), "volume remove one"),
        (lambda buildx: buildx.shell("one", ["python"]), "exec --interactive --tty one python"),
        (
            lambda buildx: list(buildx.build(CONTEXT, tags=["a:b"], build_args={"A": "1"})),
            "buildx build --progress rawjson --build-arg A=1 --tag a:b /srv/project",
        ),
        (
            lambda buildx: buildx.check(CONTEXT, file=CONTEXT / "Dockerfile", args={"A": "1"}, target="runner"),
            "buildx build --check --file /srv/project/Dockerfile --build-arg A=1 --target runner /srv/project",
        ),
    ],
)
def test_arguments(recorder, ask, call):
    """Each question becomes exactly one docker command."""
    ask(recorder.buildx)

    assert recorder.calls == [call.split() if isinstance(call, str) else call]


def test_run_output(recorder):
    """A container that ran to its end gives its output, one that was made its id."""
    recorder.answer("container run", output="1000\n")
    assert recorder.buildx.run("a:b", ["id", "-u"]) == "1000"

    assert recorder.buildx.create("a:b") == "new-0"


def test_load_references(recorder):
    """Loading an archive gives the references that it held."""
    recorder.answer("image load", output="Loaded image: python:3.12\nLoaded image: python:3.13\n")

    assert recorder.buildx.load(Path("/srv/a.tar")) == ["python:3.12", "python:3.13"]


@pytest.mark.parametrize(
    ("output", "code", "version"),
    [
        ("github.com/docker/buildx 0.13.1 0.13.1+ds1-1\n", 0, (0, 13, 1)),
        ("github.com/docker/buildx v0.29.1 a32761a\n", 0, (0, 29, 1)),
        ("docker: 'buildx' is not a docker command.\n", 1, None),
        ("no number\n", 0, None),
    ],
)
def test_version(recorder, output, code, version):
    """The version of buildx is read from what it says; None where there is none."""
    recorder.answer("buildx version", output=output, code=code)

    assert recorder.buildx.version() == version


def test_driver(recorder):
    """What a builder runs on is known; one that is not there is an error with docker's reason."""
    recorder.lay_builder("docker-container")
    assert recorder.buildx.driver("one") == "docker-container"

    recorder.answer("buildx inspect", error='ERROR: no builder "nope" found\n', code=1)
    with pytest.raises(EngineError) as caught:
        recorder.buildx.driver("nope")
    what, why, todo = sentences(caught.value)
    assert (what, why) == ("The builder nope could not be asked.", 'no builder "nope" found')
    assert "docker buildx ls" in todo


def test_current(recorder):
    """The builder in use is told by its own name, not a node's; none is an error with docker's reason."""
    recorder.answer("buildx inspect", output="Name:   two\nDriver: docker\n\nNodes:\nName:   two0\n")
    assert recorder.buildx.current() == "two"

    recorder.answer("buildx inspect", error='ERROR: no builder "two" found\n', code=1)
    with pytest.raises(EngineError) as caught:
        recorder.buildx.current()
    assert sentences(caught.value)[:2] == ("The builder in use could not be asked.", 'no builder "two" found')


def test_version_without_docker():
    """Without docker there is no buildx."""
    assert Buildx(["no-such-docker"]).version() is None


@pytest.mark.parametrize(
    ("command", "ask", "what"),
    [
        ("image pull", lambda buildx: buildx.pull("a:b"), "a:b could not be pulled."),
        ("image load", lambda buildx: buildx.load(Path("/a.tar")), "/a.tar could not be loaded."),
        ("image rm", lambda buildx: buildx.remove_image("a:b"), "a:b could not be removed."),
        ("container run", lambda buildx: buildx.run("a:b", ["id"]), "A container of a:b could not be run."),
        ("create", lambda buildx: buildx.create("a:b"), "A container of a:b could not be made."),
        ("container start", lambda buildx: buildx.start("one"), "one could not be started."),
        ("container stop", lambda buildx: buildx.stop("one", seconds=1), "one could not be stopped."),
        ("container rename", lambda buildx: buildx.rename("one", "two"), "one could not be renamed."),
        ("container rm", lambda buildx: buildx.remove("one"), "one could not be removed."),
        ("volume remove", lambda buildx: buildx.remove_volume("one"), "The volume one could not be removed."),
        ("buildx build", lambda buildx: list(buildx.build(CONTEXT)), "The build failed."),
    ],
)
def test_failure(recorder, command, ask, what):
    """A docker command that fails says what was wanted and docker's own reason, without its decoration."""
    recorder.answer(command, error="Error response from daemon: the reason\nSee 'docker --help'.\n", code=1)

    with pytest.raises(CommandError) as caught:
        ask(recorder.buildx)

    assert sentences(caught.value)[:2] == (what, "the reason")


@pytest.mark.parametrize("error", [b"the real reason\n", b"caf\xe9\nthe real reason\n"], ids=["text", "undecodable"])
@pytest.mark.parametrize(
    ("command", "ask"),
    [
        ("buildx build", lambda buildx: list(buildx.build(CONTEXT, build_args={"TOKEN": SECRET}))),
        ("container run", lambda buildx: buildx.run("a:b", [SECRET], envs={"TOKEN": SECRET})),
        ("create", lambda buildx: buildx.create("a:b", [SECRET], envs={"TOKEN": SECRET})),
        ("container start", lambda buildx: buildx.start("one")),
    ],
    ids=["build", "run", "create", "start"],
)
def test_no_command_line(recorder, command, ask, error):
    """No error, nor any behind it, holds the command line; the real reason survives output that is not UTF-8."""
    recorder.answer(command, error=error, code=1)

    with pytest.raises(CommandError) as caught:
        ask(recorder.buildx)

    assert caught.value.why == "the real reason"
    assert SECRET not in chain(caught.value)
    assert str(recorder.program) not in chain(caught.value)


def test_no_docker():
    """Without a docker command the error says so, and where to get one."""
    with pytest.raises(EngineError) as caught:
        Buildx(["no-such-docker"]).pull("a:b")

    what, why, todo = sentences(caught.value)
    assert what == "There is no `docker` command on this machine."
    assert "PATH" in why
    assert "invoke setup" in todo


def test_messages(recorder):
    """A build yields BuildKit's messages, and what is none of them is the error's output."""
    recorder.answer("buildx build", error=recorded("buildkit/failed.txt"), code=1)
    messages = []

    with pytest.raises(CommandError) as caught:
        messages.extend(recorder.buildx.build(CONTEXT))

    assert messages == decoded(recorded("buildkit/failed.txt"))[0]
    assert caught.value.output.startswith("Broken:5\n")
    assert caught.value.why.startswith("failed to solve: process")


@leaves_stream
def test_abandoned(recorder):
    """A build that nobody listens to any more is interrupted, and has ended before we go on."""
    recorder.answer("buildx build", error='{"vertexes": []}\n', hangs=True)
    build = recorder.buildx.build(CONTEXT)

    assert next(build) == {"vertexes": []}
    build.close()

    assert recorder.interrupted


@leaves_stream
def test_ctrl_c(recorder):
    """Ctrl-C while a message is waited for interrupts the docker process too."""
    recorder.answer("buildx build", error='{"vertexes": []}\n', presses=True)

    with pytest.raises(KeyboardInterrupt):
        list(recorder.buildx.build(CONTEXT))

    assert recorder.interrupted


@pytest.mark.parametrize(
    ("behind", "seen"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (ValueError(), RuntimeError)],
    ids=["ctrl-c", "other"],
)
def test_ctrl_c_in_queue(recorder, monkeypatch, behind, seen):
    """Ctrl-C that a queue turned into an error of its lock is still Ctrl-C; another such error is what it is."""
    told = []

    def stream(*_, **__):
        yield '{"vertexes": []}\n'
        try:
            raise behind  # noqa: TRY301
        except BaseException:
            raise RuntimeError("release unlocked lock")  # noqa: B904 - as the standard library's locks do

    buildx = recorder.buildx
    monkeypatch.setitem(vars(buildx), "_client", SimpleNamespace(buildx=SimpleNamespace(build=stream)))
    monkeypatch.setattr(process, "interrupt_children", lambda: told.append("interrupted"))

    with pytest.raises(seen):
        list(buildx.build(CONTEXT))

    assert told == ["interrupted"]


def one_line(text: str) -> str:
    """Write the messages of a recorded stream as newer buildx does: one a line."""
    decoder = MessageDecoder()
    return "".join(json.dumps(each) + "\n" for line in text.splitlines(keepends=True) for each in decoder.feed(line))


def decoded(text: str) -> tuple[list[dict], list[str]]:
    """Return the messages of a stream, and the lines that are none."""
    decoder = MessageDecoder()
    messages = [each for line in text.splitlines(keepends=True) for each in decoder.feed(line)]
    return messages, decoder.rest


@pytest.mark.parametrize("name", ["built", "cached", "failed", "syntax"])
def test_decoder_forms(name):
    """Pretty-printed messages and messages of one line are the same messages."""
    text = recorded(f"buildkit/{name}.txt")
    messages, rest = decoded(text)

    assert len(messages) == sum(line == "{" for line in text.splitlines())
    assert decoded(one_line(text)) == (messages, [])
    assert bool(rest) == (name in ("failed", "syntax"))


PRETTY = '{\n  "vertexes": [\n    {\n      "name": "a"\n    }\n  ]\n}\n'
A = {"vertexes": [{"name": "a"}]}


@pytest.mark.parametrize(
    ("text", "messages", "rest"),
    [
        pytest.param("WARNING: old\n" + PRETTY + "\nERROR: no\n", [A], ["WARNING: old", "ERROR: no"], id="around"),
        pytest.param(PRETTY + "between\n" + PRETTY, [A, A], ["between"], id="between"),
        pytest.param('{"vertexes": []}\n' + PRETTY, [{"vertexes": []}, A], [], id="both forms"),
        pytest.param("{not json\n" + PRETTY + "ERROR: no\n", [A], ["{not json", "ERROR: no"], id="brace"),
        pytest.param('{\n  "vertexes": [\nWARNING: old\n  ]\n}\n' + PRETTY, [A], None, id="inside"),
        pytest.param('{"vertexes": [{"na', [], ['{"vertexes": [{"na'], id="cut off"),
        pytest.param("", [], [], id="empty"),
    ],
)
def test_decoder_garbage(text, messages, rest):
    """Lines around and between messages are kept apart, and a broken message costs no other one."""
    found, left = decoded(text)

    assert found == messages
    if rest is not None:
        assert left == rest


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("ERROR: failed to solve: no such file\n", "failed to solve: no such file"),
        ("docker: Error response from daemon: in use.\nSee 'docker run --help'.\n", "in use."),
        ("the reason\n\nRun 'docker run --help' for more information\n--------------------\n", "the reason"),
        ("  \n", "docker said nothing."),
    ],
)
def test_last_useful_line(output, line):
    """The last line that names a cause is found behind docker's decoration and advice."""
    assert last_useful_line(output) == line
