from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dockyard.build import Progress, Step, build
from dockyard.build.record import KEPT_RECORDS
from dockyard.build.steps import TAIL
from dockyard.engines import Engine
from dockyard.engines.buildx import Buildx, CommandError
from dockyard.engines.messages import MessageDecoder
from dockyard.errors import BuildError, EngineError, Interrupted
from dockyard.machine.findings import Base
from dockyard.plan import build_plan
from dockyard.revision import Revision
from dockyard.state import State
from support import SECRET, FakeDaemon, chain, leaves_stream, recorded, sentences

BASE = Base(
    reference="python:3.12-slim-bookworm",
    pinned="python:3.12-slim-bookworm@sha256:base",
    official=True,
    digest="sha256:base",
    how="pulled",
)


@pytest.fixture
def plan(settings, project):
    """The build of a project with a Dockerfile and a .dockerignore."""
    (project / "Dockerfile").write_text("FROM scratch\n")
    (project / ".dockerignore").write_text("*\n")
    return build_plan(settings, base=BASE, revision=Revision(), secrets={})


@pytest.fixture
def run(plan, settings, recorder, tmp_path, monkeypatch):
    """Build with the recorder; nothing may be left in the folder for temporary files."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def run(watch=lambda _: None, *, answers: bool = True):
        daemon = FakeDaemon(recorder, images=[BASE.reference], answers=answers)
        return build(plan, engine=Engine(recorder.buildx, daemon), state=State(settings.state), watch=watch)

    yield run
    assert list(temporary.iterdir()) == []


def progress_of(name: str) -> Progress:
    """Return the steps of a recorded build at its end."""
    progress, decoder = Progress(), MessageDecoder()
    for line in recorded(f"buildkit/{name}.txt").splitlines(keepends=True):
        for message in decoder.feed(line):
            progress.update(message)
    return progress


def step(progress: Progress, name: str) -> Step:
    """Return the one step whose name begins so."""
    (found,) = [each for each in progress.steps if each.name.startswith(name)]
    return found


def vertex(name: str = "[builder 1/2] RUN true", **changed) -> dict:
    """Return a message of one step."""
    return {"vertexes": [{"digest": f"sha256:{name}", "name": name, **changed}]}


def log(text: bytes, name: str = "[builder 1/2] RUN true") -> dict:
    """Return a message of what a step printed."""
    return {"logs": [{"vertex": f"sha256:{name}", "data": base64.b64encode(text).decode()}]}


def updated(*messages: dict) -> Progress:
    """Return the steps after some messages."""
    progress = Progress()
    for message in messages:
        progress.update(message)
    return progress


def test_built():
    """A finished build tells its steps, what they stand on, how long they ran and what they printed."""
    progress = progress_of("built")
    ran = step(progress, "[builder 2/2] RUN printf")
    copied = step(progress, "[runner 2/3] COPY --from=builder")

    assert sorted(ran.log) == ["café �", "second"]
    assert 0.2 < ran.seconds < 5
    assert not ran.cached
    assert not ran.running
    assert ran.instruction.startswith("RUN printf")
    assert ran.name in copied.inputs
    assert not any(each.error or each.running for each in progress.steps)
    assert progress.failed is None


def test_cached():
    """A build from the cache ran none of the Dockerfile's instructions, and they took no time."""
    counted = [each for each in progress_of("cached").steps if each.counts]

    assert sorted(each.instruction.split()[0] for each in counted) == ["COPY", "COPY", "RUN"]
    assert all(each.cached for each in counted)
    assert sum(each.seconds for each in counted) == 0


def test_failed():
    """Of the steps of a failed build the one that broke is named, not the one that was cancelled for it."""
    progress = progress_of("failed")

    assert progress.failed is step(progress, "[other 2/2] RUN echo preparing")
    assert progress.failed.log == ["preparing", "no space left for you"]
    assert "exit code: 3" in progress.failed.error
    assert "context canceled" in step(progress, "[builder 2/2] RUN sleep").error


def test_cancelled_alone():
    """A build of which every step was only cancelled has none that failed."""
    assert updated(vertex(error="process did not complete: context canceled: context canceled")).failed is None


@pytest.mark.parametrize(
    ("name", "instruction", "counts"),
    [
        ("[builder 3/7] RUN uv sync", "RUN uv sync", True),
        ("[runner  1/12] COPY a b", "COPY a b", True),
        ("[linux/arm64 builder 3/7] RUN uv sync", "RUN uv sync", True),
        ("[2/3] RUN true", "RUN true", True),
        ("[stage-1 2/3] WORKDIR /app", "WORKDIR /app", True),
        ("[builder 2/2] RUN <<EOF\necho one\nEOF", "RUN <<EOF\necho one\nEOF", True),
        ("[builder 1/7] FROM docker.io/library/python:3.12@sha256:1", None, False),
        ("[two 3/3] LINK COPY --link a b", None, False),
        ("[internal] load build definition from Dockerfile", "", False),
        ("[auth] library/python:pull token", "", False),
        ("exporting to image", "", False),
    ],
)
def test_instruction(name, instruction, counts):
    """An instruction is told from BuildKit's own steps; naming a base or linking a copy is none."""
    found = Step(name=name)

    assert found.counts is counts
    if instruction is not None:
        assert found.instruction == instruction


@pytest.mark.parametrize(
    ("name", "stage", "number"),
    [
        ("[builder 3/7] RUN uv sync", "builder", 3),
        ("[runner  1/12] COPY a b", "runner", 1),
        ("[linux/arm64 builder 3/7] RUN uv sync", "linux/arm64 builder", 3),
        ("[2/3] RUN true", "", 2),
        ("[internal] load build context", "", 0),
    ],
)
def test_stage(name, stage, number):
    """A step knows its stage, with the platform of several, and its number in it."""
    assert (Step(name=name).stage, Step(name=name).number) == (stage, number)


@pytest.mark.parametrize(
    ("started", "completed", "seconds"),
    [
        ("2026-11-23T01:41:11.161109427Z", "2026-11-23T01:41:11.849707107Z", 0.688598),
        ("2026-11-23T01:41:11Z", "2026-11-23T01:41:12.5Z", 1.5),
        ("2026-11-23T01:41:11.9Z", "2026-11-23T01:42:11.95Z", 60.05),
        ("2026-11-23T01:41:11.9Z", "", 0),
        ("", "", 0),
    ],
)
def test_seconds(started, completed, seconds):
    """Times of as many digits as BuildKit may write are read; what has not ended took no time yet."""
    assert Step(name="a", started=started, completed=completed).seconds == pytest.approx(seconds, abs=1e-6)


def test_running():
    """A step runs from its start to its end."""
    begun = vertex(started="2026-11-23T01:41:11Z")

    assert not updated(vertex()).steps[0].running
    assert updated(vertex(), begun).steps[0].running
    assert not updated(begun, vertex(started="2026-11-23T01:41:11Z", completed="2026-11-23T01:41:12Z")).steps[0].running


def test_started_again():
    """A step that starts again, while it looks for its cache, has run since its first start."""
    (only,) = updated(
        vertex(started="2026-11-23T01:41:11Z", completed="2026-11-23T01:41:12Z"),
        vertex(started="2026-11-23T01:41:13Z"),
    ).steps
    assert only.running
    assert only.started == "2026-11-23T01:41:11Z"


def test_log_tail():
    """The last lines that say something are kept, across messages, with bytes that are not UTF-8 replaced."""
    lines = b"".join(b"line %d\n\n" % number for number in range(TAIL))
    (only,) = updated(vertex(), log(lines), log(b"caf\xe9\r\n"), log(b"")).steps

    assert len(only.log) == TAIL
    assert only.log[0] == "line 1"
    assert only.log[-1] == "caf�"


def test_cut_lines():
    """A line that BuildKit cut over messages is one line; one that was never ended is kept at the step's end."""
    (only,) = updated(
        vertex(), log(b"caf\xc3"), log(b"\xa9 one\ntw"), vertex(), log(b"o"), vertex(completed="now")
    ).steps

    assert only.log == ["café one", "two"]


@pytest.mark.parametrize(
    ("pieces", "seen"),
    [
        ([b"10%\r"], ["10%"]),
        ([b"10%\r", b"50%\r"], ["50%"]),
        ([b"\r10%", b"\r50%", b"\r"], ["50%"]),
        ([b"one\n10%\r", b"99%\rdone\ntwo\n"], ["one", "done", "two"]),
        ([b"one\r", b"\ntwo\n"], ["one", "two"]),
        ([b"10%\r", b"\x1b[2K\r", b"done\n"], ["done"]),
    ],
)
def test_progress_bars(pieces, seen):
    """Of a progress bar only what it shows now is kept, also while it moves."""
    (only,) = updated(vertex(), *map(log, pieces)).steps

    assert only.log == seen


def test_endless_line():
    """A line that never ends is cut, so that it is not read again with each piece."""
    progress = updated(vertex(), *[log(b"." * 1000)] * 40)

    progress.update(log(b"\r10%" * 40))
    assert progress._unended["sha256:[builder 1/2] RUN true"] == b"\r10%"
    assert len("".join(progress.steps[0].log)) > 30_000
    assert len(progress._unended["sha256:[builder 1/2] RUN true"]) < 20_000


def test_hidden():
    """A secret is seen neither in what a step prints nor in its error, even if it came in two pieces."""
    progress = Progress(hidden=(SECRET,))
    for message in (
        vertex(),
        log(f"key {SECRET[:9]}".encode()),
        log(f"{SECRET[9:]}!\n".encode()),
        vertex(error=SECRET),
    ):
        progress.update(message)

    assert progress.steps[0].log == ["key [REDACTED]!"]
    assert progress.steps[0].error == "[REDACTED]"


def test_touched():
    """The steps that a message tells of are known, and those alone."""
    progress = updated(vertex(), vertex("[builder 2/2] RUN false"), log(b"a\n"))
    assert [step.name for step in progress.touched] == ["[builder 1/2] RUN true"]

    progress.update({})
    assert progress.touched == ()


def test_inputs_named_later():
    """What a step stands on is known, although BuildKit names it after the step in the same message."""
    copy = step(progress_of("failed"), "[runner 3/3] COPY --from=other")

    assert "[other 2/2] RUN echo preparing" in "".join(copy.inputs)


def test_strangers():
    """Logs and statuses of a step that was never named are left out, and a message may hold nothing."""
    status = {"statuses": [{"vertex": "sha256:none", "id": "a"}], "vertexes": None}

    assert updated(log(b"a"), status, {}, {"warnings": []}).steps == ()


def test_transfers():
    """How much is transferred is known by what; the total is 0 where BuildKit does not know it."""
    name = "[internal] load build context"
    moved = {"vertex": f"sha256:{name}", "id": "transferring"}
    progress = updated(
        vertex(name),
        {"statuses": [{**moved, "current": 5, "total": 10}, {**moved, "id": "other", "current": 3}]},
        {"statuses": [{**moved, "current": 10, "total": 10}]},
    )

    assert progress.steps[0].transfers == {"transferring": (10, 10), "other": (3, 0)}


def test_record(run, plan, settings, recorder):
    """A build gives its record, and keeps it."""
    recorder.answer("buildx build", error=recorded("buildkit/built.txt"), metadata=recorded("buildkit/metadata.json"))
    seen = []
    record = run(lambda progress: seen.append(len(progress.steps)))

    assert record.digest == json.loads(recorded("buildkit/metadata.json"))["containerimage.digest"]
    assert (record.python, record.tags, record.base) == ("3.12", plan.tags, BASE.reference)
    assert record.base_digest == "sha256:1"
    assert record.args == plan.args
    assert record.inputs == {
        "Dockerfile": f"sha256:{hashlib.sha256(b'FROM scratch' + bytes([10])).hexdigest()}",
        ".dockerignore": f"sha256:{hashlib.sha256(b'*' + bytes([10])).hexdigest()}",
    }
    assert (record.cached, record.counted) == (0, 3)
    assert 0 < record.seconds < 60
    assert datetime.fromisoformat(record.started) <= datetime.now(UTC)
    assert seen == sorted(seen)
    assert len(record.steps) == seen[-1]

    state = State(settings.state)
    (name,) = state.records("builds")
    assert name.endswith("Z-py3.12.json")
    kept = state.read_record(name)
    assert kept["digest"] == record.digest
    assert kept["started"] == record.started
    assert [each["name"] for each in kept["steps"]] == [each.name for each in record.steps]
    assert [each["seconds"] for each in kept["steps"]] == [each.seconds for each in record.steps]


def test_command(run, plan, recorder):
    """The plan's command is sent, and asks for the metadata."""
    run()
    (call,) = recorder.calls

    at = call.index("--metadata-file")
    assert Path(call[at + 1]).name == "metadata.json"
    expected = Buildx([str(recorder.program)])
    list(expected.build(plan.context, **plan.options()))
    assert call[:at] + call[at + 2 :] == recorder.calls[-1]


@pytest.mark.parametrize(
    ("metadata", "digest"),
    [
        ('{"containerimage.digest": "sha256:m", "containerimage.config.digest": "sha256:c"}', "sha256:m"),
        ('{"containerimage.config.digest": "sha256:c"}', "sha256:c"),
        ("{}", ""),
        ("", ""),
    ],
)
def test_digest(run, recorder, metadata, digest):
    """The digest is the manifest's, else the configuration's, else unknown."""
    recorder.answer("buildx build", metadata=metadata)

    assert run().digest == digest


def test_base_gone(plan, settings, recorder):
    """A base that is not in the engine's store, as with a builder of its own, has no digest here."""
    engine = Engine(recorder.buildx, FakeDaemon(recorder, images=()))

    assert build(plan, engine=engine, state=State(settings.state), watch=lambda _: None).base_digest == ""


def test_kept_records(run, settings):
    """The oldest records go when there are too many."""
    state = State(settings.state)
    for number in range(KEPT_RECORDS):
        state.write_record(f"builds/20200101T0000{number:02}.000000Z-py3.12.json", {})
    run()

    names = state.records("builds")
    assert len(names) == KEPT_RECORDS
    assert "builds/20200101T000000.000000Z-py3.12.json" not in names


def test_failing_step(run, settings, recorder):
    """A failing step that no instruction is known of is named with its last lines, and no record is kept."""
    recorder.answer("buildx build", error=recorded("buildkit/failed.txt"), code=1)

    with pytest.raises(BuildError) as caught:
        run()

    what, why, todo = sentences(caught.value)
    assert what.startswith("The build failed at [other 2/2] RUN echo preparing")
    assert why.splitlines() == [
        "It printed, at the end:",
        "  preparing",
        "  no space left for you",
        "It ended with exit code 3.",
    ]
    assert todo.startswith("Mend that step of Dockerfile")
    assert State(settings.state).records("builds") == []


def test_broken_dockerfile(run, recorder):
    """A Dockerfile that cannot be read is shown at the line, as buildx shows it."""
    recorder.answer("buildx build", error=recorded("buildkit/syntax.txt").replace("Syntax:2", "Dockerfile:2"), code=1)

    with pytest.raises(BuildError) as caught:
        run()

    what, why, _ = sentences(caught.value)
    assert what == "Dockerfile cannot be built."
    assert why.splitlines() == [
        "Dockerfile:2",
        "   1 |     FROM scratch",
        "   2 | >>> RUNN x",
        "failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
    ]


def test_undecodable_failure(run, recorder):
    """A failure of which docker tells in bytes that are not UTF-8 is still told."""
    recorder.answer("buildx build", error=b"ERROR: failed to read caf\xe9\n", code=1)

    with pytest.raises(BuildError) as caught:
        run()

    assert caught.value.why == "failed to read caf�"


@pytest.mark.parametrize("said", ["buildkit/failed.txt", None], ids=["in a step", "before"])
def test_engine_gone(run, recorder, said):
    """An engine that stops half-way is told from a failing step, and its end is the machine's error."""
    gone = "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"
    recorder.answer("buildx build", error=(recorded(said) if said else "") + gone, code=1)

    with pytest.raises(EngineError) as caught:
        run(answers=False)

    what, why, todo = sentences(caught.value)
    assert caught.value.exit_code == 3
    assert not isinstance(caught.value, CommandError)
    assert what == "The engine went away during the build."
    assert why == "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."
    assert "invoke setup" in todo


def test_no_buildx(run, recorder):
    """Where docker has no buildx the error is the machine's, and not the Dockerfile's."""
    recorder.answer("buildx", error="docker: 'buildx' is not a docker command.\nSee 'docker --help'\n", code=1)

    with pytest.raises(EngineError) as caught:
        run()

    what, why, todo = sentences(caught.value)
    assert (what, why) == ("docker has no buildx here.", "'buildx' is not a docker command.")
    assert "invoke setup" in todo


def test_no_docker(plan, settings, recorder):
    """Without docker the error is the machine's."""
    with pytest.raises(EngineError) as caught:
        build(
            plan,
            engine=Engine(Buildx(["no-such-docker"]), FakeDaemon(recorder)),
            state=State(settings.state),
            watch=lambda _: None,
        )

    assert caught.value.what == "There is no `docker` command on this machine."


@leaves_stream
@pytest.mark.parametrize("where", ["waiting", "watching"])
def test_ctrl_c(run, settings, recorder, where):
    """Ctrl-C, while a message is waited for or shown, stops docker, keeps no record and leaves no file."""
    recorder.answer("buildx build", error='{"vertexes": []}\n', hangs=True, presses=where == "waiting")

    def press(_: Progress) -> None:
        if where == "watching":
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        run(press)

    assert sentences(caught.value)[0] == "The build was stopped."
    assert caught.value.exit_code == 130
    assert recorder.interrupted
    assert State(settings.state).records("builds") == []


@leaves_stream
def test_watch_fails(run, recorder):
    """A display that fails stops the build, and its error goes on."""
    recorder.answer("buildx build", error='{"vertexes": []}\n', hangs=True)

    def fail(_: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fail)

    assert recorder.interrupted


def test_no_secret(run, recorder, settings, project):
    """A failed build tells neither where secrets lie nor what its arguments were."""
    recorder.answer("buildx build", error="ERROR: no\n", code=1)
    planned = build_plan(
        settings.model_copy(update={"build": settings.build.model_copy(update={"args": {"EXTRA": SECRET}})}),
        base=BASE,
        revision=Revision(),
        secrets={"index_url": project / SECRET},
    )

    with pytest.raises(BuildError) as caught:
        build(
            planned,
            engine=Engine(recorder.buildx, FakeDaemon(recorder)),
            state=State(settings.state),
            watch=lambda _: None,
        )

    assert SECRET not in chain(caught.value)


def test_no_from(run, plan, recorder):
    """A Dockerfile without FROM is refused before BuildKit sees it: some releases end their engine over it."""
    plan.dockerfile.write_text("ARG A=1\nRUN from=1\n# FROM x\n", "utf-8")

    with pytest.raises(BuildError) as caught:
        run()

    assert sentences(caught.value)[1] == "It has no FROM."
    assert recorder.calls == []


def test_marks(plan, settings, recorder):
    """With marks BuildKit is sent a copy of the Dockerfile, and steps keep the names that their author knows."""
    plan.dockerfile.write_text("FROM scratch\nRUN --mount=type=secret,id=token x\n")
    vertexes = [
        {"digest": "sha256:1", "name": "[2/2] RUN --mount=type=secret,id=dockyard-aa --mount=type=secret,id=token x"}
    ]
    recorder.answer("buildx build", error=json.dumps({"vertexes": vertexes}) + "\n")
    sent = []
    for marks in ({}, {"token": "aa"}):
        engine = Engine(recorder.buildx, FakeDaemon(recorder, images=[BASE.reference]))
        record = build(replace(plan, marks=marks), engine=engine, state=State(settings.state), watch=lambda _: None)
        call = next(each for each in reversed(recorder.calls) if each[:2] == ["buildx", "build"])
        sent.append(Path(call[call.index("--file") + 1]))

    assert (sent[0], sent[1].name) == (plan.dockerfile, plan.dockerfile.name)
    assert sent[1] != plan.dockerfile
    assert [each.name for each in record.steps] == ["[2/2] RUN --mount=type=secret,id=token x"]
