from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dockyard.build import Progress
from dockyard.build.anchor import stages_of
from dockyard.build.failure import failure
from dockyard.engines import Engine
from dockyard.engines.buildx import CommandError
from dockyard.engines.messages import MessageDecoder
from support import FakeDaemon, bare_plan, recorded, sentences

if TYPE_CHECKING:
    from pathlib import Path

    from dockyard.plan.build import BuildPlan

MULTI = r"""FROM python AS builder
ARG ONE

# Why it is so.
RUN --mount=type=cache,target=/root/.cache --network=none \
    # a comment
    pip install one && \
    pip install two
COPY one /
FROM python
COPY --from=builder /opt /opt
RUN <<'EOT'
set -eu
echo one

false
EOT
CMD ["true"]
"""
HEREDOC = r"""FROM dockyard.local/python:3.12-slim-bookworm AS builder
ARG U=display1
# why
RUN --mount=type=cache,target=/c \
    sleep 3; echo $U
COPY <<EOF /x
a
EOF
RUN <<'EOT'
set -eu
echo one $U
printf 'bar 10%%\rbar 50%%\rbar 100%%\n'
printf '\033[32mgreen\033[0m\n'
ls /nope
echo never
EOT
FROM builder AS runner
COPY --from=builder /x /y
"""
MISSING = r"""FROM dockyard.local/python:3.12-slim-bookworm AS builder
ARG U=display2
RUN sleep 3; echo $U
FROM dockyard.local/python:3.12-slim-bookworm
COPY there /a
COPY missing.txt also \
     /b/
COPY --from=builder /etc/passwd /z
"""
PIP = "RUN --mount=type=cache,target=/root/.cache --network=none     pip install one &&     pip install two"


@pytest.fixture
def fail(tmp_path, recorder):
    """Return what a failing build tells: a Dockerfile, and the vertices of its steps."""

    def fail(dockerfile: str, *vertexes: dict, ignore: str = "", log: list[str] = (), secrets=()) -> tuple[str, ...]:
        (tmp_path / "Dockerfile").write_text(dockerfile)
        (tmp_path / ".dockerignore").write_text(ignore)
        progress = Progress()
        for number, each in enumerate(vertexes):
            progress.update({"vertexes": [{"digest": str(number), **each}]})
        for step in progress.steps[:1]:
            step.log[:] = log
        engine = Engine(recorder.buildx, FakeDaemon(recorder))
        asked = replace(plan(tmp_path), secrets=dict.fromkeys(secrets, tmp_path))
        return sentences(failure(asked, progress, CommandError("", "docker said it"), engine))

    return fail


def plan(folder: Path) -> BuildPlan:
    return bare_plan(folder, base="python", tags=("tiny:1",))


def broken(name: str, code: int = 1) -> dict:
    return {"name": name, "error": f'process "/bin/sh -c x" did not complete successfully: exit code: {code}'}


@pytest.fixture
def replay(tmp_path, recorder):
    """Return what a recorded build that failed tells, with its Dockerfile."""

    def replay(name: str, dockerfile: str) -> tuple[str, ...]:
        (tmp_path / "Dockerfile").write_text(dockerfile)
        progress, decoder = Progress(), MessageDecoder()
        for line in recorded(f"buildkit/{name}.txt").splitlines(keepends=True):
            for message in decoder.feed(line):
                progress.update(message)
        engine = Engine(recorder.buildx, FakeDaemon(recorder))
        return sentences(failure(plan(tmp_path), progress, CommandError("", ""), engine))

    return replay


def test_recorded(replay):
    """A recorded failure: the command whole, the lines around it, what it printed, how it ended; none was cancelled."""
    text = (
        "ARG BASE_IMAGE=python\nFROM ${BASE_IMAGE} AS builder\nRUN sleep 5; echo 1 > /out\n"
        "FROM ${BASE_IMAGE} AS other\n"
        'RUN echo preparing; sleep 0.5; echo "no space left for you"; exit 3\nFROM ${BASE_IMAGE} AS runner\n'
        "COPY --from=builder /out /out\nCOPY --from=other /out2 /out2\n"
    )
    what, why, todo = replay("failed", text)

    assert what == (
        "The build failed at line 5 of Dockerfile, in the stage other: "
        'RUN echo preparing; sleep 0.5; echo "no space left for you"; exit 3'
    )
    assert why.splitlines() == [
        "  2 | FROM ${BASE_IMAGE} AS builder",
        "  3 | RUN sleep 5; echo 1 > /out",
        "  4 | FROM ${BASE_IMAGE} AS other",
        '> 5 | RUN echo preparing; sleep 0.5; echo "no space left for you"; exit 3',
        "  6 | FROM ${BASE_IMAGE} AS runner",
        "  7 | COPY --from=builder /out /out",
        "  8 | COPY --from=other /out2 /out2",
        "It printed, at the end:",
        "  preparing",
        "  no space left for you",
        "It ended with exit code 3.",
    ]
    assert todo == "Mend that line of Dockerfile, then run `invoke build` again: the steps before it are cached."


def test_recorded_heredoc(replay):
    """A recorded heredoc that failed: its colours are gone, and of its progress bar the last state is left."""
    _, why, _ = replay("heredoc", HEREDOC)

    assert why.splitlines()[-6:] == [
        "It printed, at the end:",
        "  one display1",
        "  bar 100%",
        "  green",
        "  ls: cannot access '/nope': No such file or directory",
        "It ended with exit code 2.",
    ]
    assert [line for line in why.splitlines() if line.startswith("> ")][1] == "> 10 | set -eu"


def test_recorded_missing_file(replay):
    """A recorded COPY of a file that is not there: it is blamed, and not the step that was stopped for it."""
    what, why, _ = replay("missing", MISSING)

    assert what == "The build failed at line 6 of Dockerfile, in the stage stage-1: COPY missing.txt also /b/"
    assert why.splitlines()[-1] == "There is no missing.txt in the build context."
    assert [line for line in why.splitlines() if line.startswith(">")] == [
        *("> 6 | COPY missing.txt also \\", "> 7 |      /b/")
    ]


def test_continued_lines(fail):
    """Of an instruction over several lines each is marked; its command is on one line, without its mounts."""
    what, why, _ = fail(MULTI, broken(f"[builder 2/3] {PIP}", 127))

    assert what.endswith(": RUN --network=none pip install one && pip install two")
    assert [line[:5] for line in why.splitlines() if "|" in line] == [
        *("   2 ", "   3 ", "   4 ", ">  5 ", ">  6 ", ">  7 ", ">  8 ", "   9 ", "  10 ", "  11 ")
    ]
    assert why.endswith("It ended with exit code 127: a command was not found.")


def test_heredoc(fail):
    """The text of a heredoc is the instruction's too; a stage without a name is found."""
    what, why, _ = fail(MULTI, broken("[stage-1 3/3] RUN <<'EOT' (set -eu...)"))

    assert what == "The build failed at line 12 of Dockerfile, in the stage stage-1: RUN <<'EOT'"
    assert [line for line in why.splitlines() if line.startswith(">")] == [
        *("> 12 | RUN <<'EOT'", "> 13 | set -eu", "> 14 | echo one", "> 15 |", "> 16 | false", "> 17 | EOT")
    ]


def test_long_heredoc(fail):
    """A heredoc of hundreds of lines is shown without its middle."""
    body = "".join(f"echo {number}\n" for number in range(300))
    _, why, _ = fail(f"FROM python\nRUN <<EOT\n{body}EOT\n", broken("[2/2] RUN <<EOT (echo 0...)"))
    lines = why.splitlines()

    assert len(lines) < 50
    assert "> " in lines[21]
    assert lines[21].endswith("… 262 more lines")
    assert lines[-2] == "> 303 | EOT"


def test_equal_instructions(fail):
    """Of equal instructions the one of that stage and number is blamed."""
    text = "FROM python AS a\nRUN x\nRUN y\nRUN x\nFROM python AS b\nRUN x\nRUN x\nRUN x\n"

    assert fail(text, broken("[a 4/4] RUN x"))[0].startswith("The build failed at line 4 of")
    assert fail(text, broken("[b 4/4] RUN x"))[0].startswith("The build failed at line 8 of")
    assert fail(text, broken("[linux/arm64 a 2/4] RUN x"))[0].startswith("The build failed at line 2 of")


def test_variable_of_the_base(fail):
    """Where BuildKit put a variable of the base into a step's name its number tells, unless triggers count too."""
    text = "FROM python AS a\nRUN x $LANG\nFROM a AS b\nRUN y\n"

    assert fail(text, broken("[a 2/2] RUN x C.UTF-8"))[0].startswith("The build failed at line 2 of")
    assert fail(text, broken("[a 2/3] RUN x C.UTF-8"))[0] == "The build failed at [a 2/3] RUN x C.UTF-8"
    assert fail(text, broken("[a 2/2] COPY x C.UTF-8"))[0] == "The build failed at [a 2/2] COPY x C.UTF-8"


def test_edited_meanwhile(fail):
    """An instruction that is not in the Dockerfile any more is named as BuildKit does, and no line is blamed."""
    what, why, _ = fail("FROM python\nRUN other\n", broken("[2/3] RUN x"))

    assert what == "The build failed at [2/3] RUN x"
    assert why == "It ended with exit code 1."


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (1, "code 1."),
        (126, "code 126: what it called cannot be executed."),
        (137, "code 137: it was killed, as a machine does that is short of memory."),
        (139, "code 139: it was ended by SIGSEGV."),
        (255, "code 255."),
    ],
)
def test_exit_code(fail, code, told):
    """An exit code is told in words where shells give it a meaning."""
    assert fail("FROM python\nRUN x\n", broken("[2/2] RUN x", code))[1].endswith(told)


@pytest.mark.parametrize(
    ("line", "ignore", "why"),
    [
        ("COPY there gone.txt /", "", "There is no gone.txt in the build context."),
        ("COPY there gone.txt /", "*\n!there\n", "There is no gone.txt in the build context."),
        ("COPY there kept.txt /", "a\nk*.txt\n", "kept.txt is kept out of the build: .dockerignore:2 (k*.txt)."),
        ("COPY --from=one /gone.txt /", "", "There is no /gone.txt in one."),
    ],
)
def test_missing_file(fail, tmp_path, line, ignore, why):
    """A COPY of what is not there says so, and which pattern keeps it out."""
    (tmp_path / "kept.txt").touch()
    name = re.findall(r"\w+\.txt", line)[0]
    error = f'failed to calculate checksum of ref a1::b2: "/{name}": not found'
    what, told, todo = fail(f"FROM python\n{line}\n", {"name": f"[2/2] {line}", "error": error}, ignore=ignore)

    assert what == f"The build failed at line 2 of Dockerfile: {line}"
    assert told.splitlines()[-1] == why
    assert todo.startswith("Correct the path, or add the file, then run `invoke build` again")


def test_other_error(fail):
    """An error that is no exit code is told as BuildKit tells it."""
    assert fail("FROM python\nADD http://x /\n", {"name": "[2/2] ADD http://x /", "error": "no route"})[1].endswith(
        "\nno route"
    )


@pytest.mark.parametrize(
    ("builder", "name", "again"), [("", "in use", "--bootstrap`"), ("far", "far", "--bootstrap far`")]
)
@pytest.mark.parametrize(
    "why",
    [
        "failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
        "failed to solve: Unavailable: error reading from server: EOF",
    ],
)
def test_builder_gone(tmp_path, recorder, builder, name, again, why):
    """A builder that ends half-way, or does not come up, is no fault of the Dockerfile."""
    (tmp_path / "Dockerfile").write_text("FROM python\n")
    asked = replace(plan(tmp_path), builder=builder)
    engine = Engine(recorder.buildx, FakeDaemon(recorder))
    waiting = Progress()
    waiting.update({"vertexes": [{"digest": "1", "name": "[internal] waiting for connection", "error": "too late"}]})
    gone = failure(asked, Progress(), CommandError("", f"ERROR: {why}"), engine)
    missing = failure(asked, waiting, CommandError("", "ERROR: too late"), engine)

    assert gone.exit_code == missing.exit_code == 3
    what, told, todo = sentences(gone)
    assert (what, told) == (f"The builder {name} went away during the build.", why)
    assert again in todo
    assert sentences(missing)[:2] == (f"The builder {name} did not come up.", "too late")


@pytest.mark.parametrize(
    ("step", "image"),
    [
        ("[internal] load metadata for host/base:1", "host/base:1"),
        ("[linux/arm64 internal] load metadata for host/base:1", "host/base:1"),
        ("[context base:1] load metadata for docker.io/library/base:1", "docker.io/library/base:1"),
        ("resolve image config for docker-image://host/dockerfile:1", "host/dockerfile:1"),
        ("resolve image config for host/dockerfile:1", "host/dockerfile:1"),
    ],
)
@pytest.mark.parametrize(
    ("driver", "todo"), [("docker", "reachable."), ("remote", "to the builder far, which asks by")]
)
def test_no_image(tmp_path, recorder, step, image, driver, todo):
    """An image that cannot be had is named, and who would have to reach its registry."""
    (tmp_path / "Dockerfile").write_text("FROM host/base:1\n")
    progress = Progress()
    progress.update({"vertexes": [{"digest": "1", "name": step, "error": "no route"}]})
    asked = replace(plan(tmp_path), builder="far", driver=driver)
    told = sentences(failure(asked, progress, CommandError("", ""), Engine(recorder.buildx, FakeDaemon(recorder))))

    assert told[:2] == (f"{image} cannot be had.", "no route")
    assert told[2].startswith("Correct the name in Dockerfile, or make its registry reachable")
    assert todo in told[2]


def test_no_image_of_a_wrong_dockerfile(tmp_path, recorder):
    """Where the Dockerfile has a mistake, too, for which no image was put in the place of its name, that is told."""
    (tmp_path / "Dockerfile").write_text('FROM base:1\nCOPY "a /\n')
    progress = Progress()
    progress.update({"vertexes": [{"digest": "1", "name": "[internal] load metadata for base:1", "error": "no route"}]})
    engine = Engine(recorder.buildx, FakeDaemon(recorder))
    why = sentences(failure(plan(tmp_path), progress, CommandError("", ""), engine))[1]

    assert why.startswith("no route\nDockerfile:2 cannot be read. ")


def test_cancelled(fail):
    """A step that was stopped because another one failed is not blamed, however that is told."""
    text = "FROM python AS a\nRUN x\nFROM python AS b\nRUN y\n"
    stopped = [
        {"name": "[a 2/2] RUN x", "error": f"exit code: 137: {told}"}
        for told in ("context canceled: context canceled", "rpc error: code = Canceled desc = grpc: closing")
    ]

    assert "line 4" in fail(text, *stopped, broken("[b 2/2] RUN y"))[0]


UNTRUSTED = "SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate')"
UNREACHED = "[Errno -3] Temporary failure in name resolution"


@pytest.mark.parametrize(
    ("mounts", "printed", "secrets", "told"),
    [
        ("", UNTRUSTED, ("ca", "proxy"), "the CA bundle of this machine: `RUN --mount=type=secret,id=ca SSL_CERT_FILE"),
        ("", UNREACHED, ("ca", "proxy", "index_url"), "the proxy of this machine: `RUN --mount=type=secret,id=proxy "),
        ("--mount=type=secret,id=proxy ", UNREACHED, ("proxy", "index_url"), "the package index: `RUN --mount"),
        ("--mount=type=secret,target=/run/secrets/ca ", UNTRUSTED, ("ca",), ""),
        ("", UNTRUSTED, ("proxy",), ""),
        ("", "error: cannot find -lm", ("ca", "proxy", "index_url"), ""),
    ],
)
def test_network(fail, mounts, printed, secrets, told):
    """A step that failed for want of a secret of the network which the build has is told how to take it."""
    text = f"FROM python\nRUN {mounts}pip install x\n"
    _, _, todo = fail(text, broken("[2/2] RUN pip install x"), log=["Collecting x", printed], secrets=secrets)

    assert todo.startswith(f"Let that step have {told}" if told else "Mend that line of Dockerfile")
    assert todo.endswith("then run `invoke build` again: the steps before it are cached.")


def test_control_characters(fail):
    """Nothing of the Dockerfile moves a cursor."""
    assert "\x1b" not in "".join(fail("FROM python\nRUN \x1b[31mx\n", broken("[2/2] RUN \x1b[31mx")))


def test_stages(tmp_path):
    """Stages are in the order of the Dockerfile, as BuildKit calls them; one that cannot be read has none."""
    (tmp_path / "Dockerfile").write_text("FROM a AS Builder\nFROM b\nFROM c AS end\n")
    assert stages_of(plan(tmp_path)) == ("builder", "stage-1", "end")

    (tmp_path / "Dockerfile").write_text("FRM a\n")
    assert stages_of(plan(tmp_path)) == ()
    assert stages_of(replace(plan(tmp_path), dockerfile=tmp_path / "none")) == ()
