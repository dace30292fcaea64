"""The parser against BuildKit itself: what one accepts the other accepts, and both name the steps alike."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockyard.build.steps import INSTRUCTION, Progress
from dockyard.dockerfile import Dockerfile, DockerfileError, parse
from dockyard.engines.buildx import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.engines import Engine

REPOSITORY = Path(__file__).parents[2]
NOTHING: dict[str, str] = {}


def build(
    engine: Engine, text: str, folder: Path, args: Mapping[str, str] = NOTHING
) -> tuple[Progress, CommandError | None]:
    """Build a Dockerfile in a folder of its own, which gets what the image holds as `out`; nothing is tagged."""
    context, file = folder / "context", folder / "Dockerfile"
    context.mkdir(exist_ok=True)
    (context / "a").write_text("a")
    (context / "b c").write_text("b")
    file.write_bytes(text.encode())
    progress = Progress()
    output = {"type": "local", "dest": str(folder / "out")}
    try:
        for message in engine.buildx.build(context, file=file, output=output, build_args=dict(args), tags=[]):
            progress.update(message)
    except CommandError as error:
        return progress, error
    return progress, None


def printed_by_buildkit(progress: Progress) -> list[tuple[str, str]]:
    """The stage and the instruction of every step of the Dockerfile, but for the bases."""
    found = (INSTRUCTION.match(step.name) for step in progress.steps if step.counts)
    return sorted((each["stage"] or "", each["instruction"]) for each in found if each)


def printed_by_us(tree: Dockerfile) -> list[tuple[str, str]]:
    """The same, as our tree has it."""
    alone = len(tree.stages) == 1 and not [each for each in tree.externals() if each.why not in ("FROM", "# syntax")]
    return sorted(
        ("" if alone else stage.name or f"stage-{stage.index}", instruction.printed)
        for stage in tree.needed(tree.final)
        for instruction in stage.instructions
        # BuildKit makes no step for the folder that is always there.
        if instruction.printed and not (instruction.keyword == "WORKDIR" and instruction.expanded in (("/",), ("",)))
    )


ACCEPTED = {
    "plain": "FROM scratch\nCOPY a /\n",
    "no end of the last line": "FROM scratch\nCOPY a /x",
    "lower case": "from scratch as Base\ncopy a /\nfrom base\ncopy a /b",
    "bom and crlf": "\ufeff# escape=`\r\nFROM scratch\r\nWORKDIR /a`\r\n/b\r\nCOPY a /x\r\n",
    "indented": "  \t FROM scratch\n\t  COPY a /\n",
    "backquote": "# escape=`\nFROM scratch\nENV A=1\nCOPY a `\n  /x`$A\nWORKDIR /a\\b\n",
    "directive in capitals": "#   EsCaPe = `  \nFROM scratch\nCOPY a `\n /\n",
    "directive too late": "# a comment\n# escape=`\nFROM scratch\nCOPY a \\\n /\n",
    "directive after an empty line": "\n# escape=`\nFROM scratch\nCOPY a \\\n /\n",
    "continued": "FROM scratch\nCOPY a \\\n# comment\n\n   # indented comment\n  \\\n  /x \\  \n\n",
    "continued to the end": "FROM scratch\nCOPY a /x \\",
    "two escapes continue nothing": "FROM scratch\nWORKDIR /a\\\\\nCOPY a /\n",
    "a comment that ends in an escape": "FROM scratch\n# comment \\\nCOPY a /\n",
    "heredoc": "FROM scratch\nCOPY <<EOF /x\nFROM nothing\n# no comment\n  EOF\nEOF\nCOPY a /\n",
    "heredoc with tabs": "FROM scratch\nCOPY <<-EOF /x\n\t\tone\n\t two\n\tEOF\n",
    "heredocs": "FROM scratch\nCOPY <<one <<'two' <<\"three\" /x/\n1\none\n2\ntwo\n3\nthree\n",
    "heredoc with a space in its name": "FROM scratch\nRUN cat <<'th ree' 4<<-x\n1\nthree\nth ree\n\tx\nCOPY a /\n",
    "heredoc expanded": (
        "FROM scratch\nENV A=1 B='x y'\nARG C\nCOPY <<EOF /a\n$A ${B} \"$B\" '$B' \\$A ${C:-d} $$A \\\\ \\x\nEOF\n"
        "COPY <<'EOF' /b\n$A\nEOF\nCOPY <<\"EOF\" /c\n$A\nEOF\n"
    ),
    "heredoc below a continuation": "FROM scratch\nCOPY <<EOF \\\n  /x\nbody \\\nEOF\n",
    "heredoc crlf": "FROM scratch\r\nCOPY <<EOF /x\r\none\r\nEOF\r\n",
    "heredoc of a shell": "FROM scratch\nRUN cat <<'A' > /x && echo\n$A <<EOF\nA\nRUN <<EOF\ncat <<IN\nEOF2\nIN\nEOF\n",
    "run heredoc one line": "FROM scratch\nRUN <<EOF\n\n  echo one\nEOF\n",
    "run heredoc in quotes": 'FROM scratch\nRUN echo "<<EOF"\nRUN echo \'a <<b\'\n',
    "no heredoc": "FROM scratch\nRUN cat <<<EOF\nRUN cat<<EOF\nRUN echo $((1<<2)) $((1 << 2))\nCMD cat <<EOF\n",
    "heredoc with a descriptor": "FROM scratch\nRUN cat 3<<EOF\nx\nEOF\nRUN true\n",
    "no heredoc in json": 'FROM scratch\nRUN ["cat", "<<EOF"]\nCOPY ["a", "/<<x"]\n',
    "exec": 'FROM scratch\nRUN ["a", "b \\" \\u00e9"]\nRUN [ "a" , "b"\nRUN ["a",]\nRUN [\'a\']\nCMD [ ]\n',
    "json copy": 'FROM scratch\nCOPY ["b c", "/b c"]\nCOPY [ "a" , "/" ]\n',
    "printed": (
        'FROM scratch\nENV A=1\nRUN echo $A "$A" \'$A\' \\$A \\x ${B} $C\nCOPY "a" /$A"$A"\'$A\'\nRUN   two   spaces\n'
    ),
    "unset": "FROM scratch\nWORKDIR /a$B/${C}/${D:-d}/${E-e}/${F:+f}/${G+g}\n",
    "substitutions": (
        "FROM scratch\nARG A=foo.tar.gz E=\nENV B=/x\n"
        "WORKDIR /${A#*.}/${A##*.}/${A%.*}/${A%%.*}/${A/o/0}/${A//o/0}/${E:-e}${E-e}/${A:?no}${B:+b}${A+${B:-c}}\n"
    ),
    "escaped": "FROM scratch\nENV A=1\nWORKDIR /\\$A/\"\\$A\"/'$A'/a\\ b/\"${A}x\"/$A_/$1a/\\\\x\n",
    "scopes": (
        "ARG A=1\nARG B=${A}2\nFROM scratch AS one\nARG A\nARG C=$A$B\nENV D=$C\nARG D=arg\nWORKDIR /$A/x$B/$C/$D\n"
        "FROM one\nWORKDIR /$A/x$B/$C/$D\nENV C=env\nWORKDIR /$C\n"
    ),
    "env sees what was before": "FROM scratch\nENV A=1\nENV A=2 B=$A\nENV C $A b  c\nWORKDIR /$A/$B/$C\n",
    "platform": (
        "FROM --platform=$BUILDPLATFORM scratch\nARG TARGETOS\nARG TARGETARCH=x\nWORKDIR /$TARGETOS/$TARGETPLATFORM\n"
    ),
    "base from an argument": (
        "ARG BASE=scratch\nFROM ${BASE} AS a\nCOPY a /\nFROM ${BASE:-b} AS b\nFROM a\nCOPY --from=b . /\n"
    ),
    "stages": (
        "FROM scratch AS a\nCOPY a /\nFROM scratch\nCOPY a /b\nFROM scratch\nCOPY --from=A a /\nCOPY --from=1 b /c\n"
    ),
    "a stage that nobody needs": "FROM scratch AS no\nWORKDIR /${a:?missing}\nFROM scratch\nCOPY a /\n",
    "mounts": (
        "FROM scratch AS a\nCOPY a /\nFROM scratch\nENV T=/t\n"
        "RUN --mount=from=a,target=$T,ro --mount=type=cache,id=x,dst=/c,sharing=locked true\n"
        'RUN --mount="type=tmpfs,target=/u" true\n'
        "RUN --mount=type=secret,id=s,required --network=none true\n"
    ),
    "flags": 'FROM scratch\nCOPY --chmod=755 --chown="1:1" a /\nCOPY --link=false a /b\nADD -- a /c\nRUN -- true\n',
    "words": (
        'FROM scratch\nENV A="b c" D=e\\ f \'G\'=h\nLABEL "a b"="c \\\n d" e=f\nWORKDIR /$A/$D/$G\n'
        "LABEL multi  words here\n"
    ),
    "the rest": (
        "FROM scratch\nMAINTAINER me <me@x>\nEXPOSE 80 443/tcp $NO 8000-8010\nVOLUME /a /b\n"
        'VOLUME ["/c d"]\nUSER 1:1\nSTOPSIGNAL SIGINT\nSHELL ["/bin/sh", "-c"]\n'
        "HEALTHCHECK --interval=1m30s --retries=2 CMD true\nHEALTHCHECK none\n"
        "ONBUILD RUN echo $A\nONBUILD COPY a\nONBUILD FETCH\nENTRYPOINT []\nENTRYPOINT a b\nCMD\n"
        "WORKDIR /\nWORKDIR x y\n"
    ),
}  # fmt: skip
# Not here: a file of ARGs alone. BuildKit 0.13 panics at it, and takes the whole engine with it.
REFUSED = {
    "empty": "",
    "only comments": "# a\n\n  # b\n",
    "run before from": "RUN true\nFROM scratch\n",
    "unknown": "FROM scratch\nFETCH x\n",
    "nul": "FROM scratch\n\x00\x00\n",
    "from without a base": "FROM\n",
    "from with two": "FROM scratch b\n",
    "from with an empty base": "FROM $nothing\n",
    "stage name": "FROM scratch AS 1a\n",
    "image name": "FROM Upper/Case\n",
    "escape": "# escape=x\nFROM scratch\n",
    "directive twice": "# escape=`\n# escape=`\nFROM scratch\n",
    "heredoc without an end": "FROM scratch\nCOPY <<EOF /x\nEOF \n",
    "heredoc as destination": "FROM scratch\nCOPY a <<EOF\nEOF\n",
    "copy of one": "FROM scratch\nCOPY a\n",
    "empty command": "FROM scratch\nRUN []\n",
    "json of numbers": "FROM scratch\nCMD [1]\n",
    "env without a value": "FROM scratch\nENV A\n",
    "env without equals": "FROM scratch\nENV A=1 B\n",
    "env without a name": "FROM scratch\nENV =1\n",
    "arg without a name": "FROM scratch\nARG =1\n",
    "unknown flag": "FROM scratch\nCOPY --nope a /\n",
    "flag without a value": "FROM scratch\nCOPY --chown a /\n",
    "flag twice": "FROM scratch\nCOPY --chmod=1 --chmod=2 a /\n",
    "bool": "FROM scratch\nCOPY --link=maybe a /\n",
    "no brace": "FROM scratch\nWORKDIR /${A\n",
    "no name": "FROM scratch\nWORKDIR /${}\n",
    "no quote": "FROM scratch\nWORKDIR '/a\n",
    "unknown substitution": "FROM scratch\nWORKDIR /${A^}\n",
    "required": "FROM scratch\nWORKDIR /${A:?must be set}\n",
    "itself": "FROM scratch AS a\nCOPY --from=a x /\n",
    "a later stage": "FROM scratch\nCOPY --from=b x /\nFROM scratch AS b\nFROM scratch\nCOPY --from=0 a /\n",
    "no such stage": "FROM scratch\nCOPY --from=7 x /\n",
    "mount": "FROM scratch\nRUN --mount=type=nope true\n",
    "mount field": "FROM scratch\nRUN --mount=type=cache,nope=1 true\n",
    "mount variable": "ARG A\nFROM scratch\nRUN --mount=from=$A,target=/x true\n",
    "shell": "FROM scratch\nSHELL sh -c\n",
    "healthcheck": "FROM scratch\nHEALTHCHECK true\n",
    "interval": "FROM scratch\nHEALTHCHECK --interval=1 CMD true\n",
    "onbuild": "FROM scratch\nONBUILD ONBUILD RUN true\n",
    "onbuild of numbers": "FROM scratch\nONBUILD CMD [1]\n",
    "port": "FROM scratch\nEXPOSE 80/http\n",
    "range of ports": "FROM scratch\nEXPOSE 90-80\n",
    "workdir": "FROM scratch\nWORKDIR\n",
    "volume": 'FROM scratch\nVOLUME [""]\n',
    "too long": f"FROM scratch\n# {'x' * 70_000}\n",
}  # fmt: skip


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_steps(engine: Engine, tmp_path: Path, text: str) -> None:
    """BuildKit accepts a file that we accept, and names its steps, stages included, as our tree does."""
    tree = parse(text)
    progress, error = build(engine, text, tmp_path)
    # A shell is nowhere in an empty image: what runs there fails, long after the file was read.
    assert error is None or progress.failed, error and error.output
    assert printed_by_buildkit(progress) == printed_by_us(tree)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused(engine: Engine, tmp_path: Path, text: str) -> None:
    """BuildKit refuses a file that we refuse, before any of its steps."""
    with pytest.raises(DockerfileError):
        parse(text)
    progress, error = build(engine, text, tmp_path)
    assert error is not None
    # Which of the two a client prints depends on whether the solve or its answer reaches it first.
    assert re.search("failed to (solve|run Build function): ", error.output)
    assert progress.failed is None or progress.failed.name.startswith("[internal]")


def test_this_repository(engine: Engine, tmp_path: Path) -> None:
    """Our own Dockerfile has the steps that our tree says; on an empty base its first command fails."""
    text = (REPOSITORY / "Dockerfile").read_text("utf-8")
    args = {"BASE_IMAGE": "scratch"}
    progress, _ = build(engine, text, tmp_path, args)
    printed = printed_by_us(parse(text, args=args))

    assert len(printed) > 10
    assert printed_by_buildkit(progress) == printed


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("ARG A=1\nFROM scratch\nARG A\nARG B=$A\nWORKDIR /$A/x$B\n", {"A": "given"}),
        ("FROM scratch\nARG A\nARG B=2\nWORKDIR /x$A/x$B\n", {"A": "given", "B": "", "C": "unknown"}),
        ("FROM scratch\nENV A=env\nARG A=arg\nWORKDIR /$A\nENV A=later\nWORKDIR /$A\n", {"A": "given"}),
        ("FROM scratch\nWORKDIR /x$A\n", {"A": "not declared"}),
        ("FROM scratch AS a\nARG A=$B\nFROM a\nWORKDIR /x$A\n", {"A": "$B 'c'"}),
        ("ARG TARGETARCH\nFROM scratch\nARG TARGETARCH\nWORKDIR /$TARGETARCH\n", {"TARGETARCH": "given"}),
    ],
)
def test_arguments(engine: Engine, tmp_path: Path, text: str, args: dict[str, str]) -> None:
    """Values that are given for a build beat the file's own, where it declares them."""
    progress, error = build(engine, text, tmp_path, args)

    assert error is None
    assert printed_by_buildkit(progress) == printed_by_us(parse(text, args=args))


def test_heredoc_bodies(engine: Engine, tmp_path: Path) -> None:
    """A heredoc that is copied has the content that our tree has, byte by byte."""
    text = (
        "FROM scratch\nENV A=1 B='x y'\nCOPY <<plain <<-tabs <<'single' <<\"double\" <<empty /\n"
        "$A ${B} \"$B\" '$B' \\$A ${C:-d} $$A \\\\ \\x <<no\n\n  plain\nplain\n\t\t$A\n \t# b\n\ttabs\n"
        "$A \\$A\r\nsingle\n${A}\ndouble\nempty\nCOPY <<é.txt /\nÿ\né.txt"
    )
    _, error = build(engine, text, tmp_path)
    heredocs = [each for instruction in parse(text).instructions for each in instruction.heredocs]

    assert error is None
    assert {each.name for each in heredocs} == {"plain", "tabs", "single", "double", "empty", "é.txt"}
    assert {each.name: (tmp_path / "out" / each.name).read_bytes().decode() for each in heredocs} == {
        each.name: each.expanded for each in heredocs
    }


@pytest.mark.parametrize(
    "text",
    [
        "# syntax=frontend.invalid/one:1 with=options\nFROM scratch\n",
        "# escape=`\n# SYNTAX = frontend.invalid/one:1\nFROM scratch\n",
        "#!/usr/bin/env docker\n# syntax=frontend.invalid/one:1\nFROM scratch\n",
        "FROM frontend.invalid/one:1\n",
        "ARG A=one\nFROM scratch AS one\nFROM frontend.invalid/${A}:1\n",
        "FROM scratch\nCOPY --from=frontend.invalid/one:1 / /\n",
        "FROM scratch\nRUN --mount=from=frontend.invalid/one:1,target=/x true\n",
    ],
)
def test_externals(engine: Engine, tmp_path: Path, text: str) -> None:
    """BuildKit goes and looks for the image that our tree says comes from outside, and for no other."""
    _, error = build(engine, text, tmp_path)

    assert [each.reference for each in parse(text).externals()] == ["frontend.invalid/one:1"]
    assert error is not None
    assert "frontend.invalid/one:1" in error.output
