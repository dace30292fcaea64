"""Whatever the bytes, the parser reads them or says what is wrong; and what was written is what is read."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dockyard.dockerfile import Dockerfile, DockerfileError, parse
from support import sentences

quick = settings(max_examples=150, deadline=1000, database=None, suppress_health_check=[HealthCheck.too_slow])

FRAGMENTS = st.sampled_from(
    [
        *("FROM ", "FROM a", "scratch", " AS b", "RUN ", "COPY ", "ENV ", "ARG ", "LABEL ", "ONBUILD ", "SHELL "),
        *("HEALTHCHECK CMD ", "VOLUME ", "WORKDIR ", "--mount=", "--from=", "--x", "--", "type=cache", ",", "=", "A"),
        *("$A", "${A", "}", ":-", ":?", "#", "%", "/", "*", "\\", "`", "'", '"', "[", "]", '["a"]', "<<", "<<-", "<<<"),
        *("EOF", "<<EOF", "\nEOF\n", "\n", "\r\n", "\t", " ", "\\\n", "\x00", "\ufeff", "\x85", "é"),
        *("# escape=`\n", "# syntax=a\n", "FROM scratch\n"),
    ]
)
TEXTS = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(str.encode),
    st.lists(FRAGMENTS, max_size=40).map(lambda parts: "".join(parts).encode()),
    st.lists(FRAGMENTS, max_size=40).map(lambda parts: ("FROM scratch\n" + "".join(parts)).encode()),
)
NAMES = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True)
VALUES = st.text("abc019 .,:/$\\'\"<>[]{}#=é\t", max_size=12)


def holds(tree: Dockerfile, text: str) -> None:
    """The instructions lie one behind the other, hold their source, and only blanks and comments lie between them."""
    lines = text.removeprefix("\ufeff").split("\n")
    at = 0
    for each in tree.instructions:
        assert at < each.line <= each.end_line <= len(lines)
        assert all(line.strip().startswith("#") or not line.strip() for line in lines[at : each.line - 1])
        assert each.raw == "\n".join(lines[each.line - 1 : each.end_line]).removesuffix("\r")
        below = each.line
        for heredoc in each.heredocs:
            assert below < heredoc.line <= heredoc.end_line <= each.end_line
            assert lines[heredoc.end_line - 1].strip("\t\r") == heredoc.name.strip("\t\r")
            below = heredoc.end_line
        at = each.end_line
    assert all(line.strip().startswith("#") or not line.strip() for line in lines[at:])


@quick
@given(TEXTS)
@example(b"FROM scratch\nRUN <<\\\nEOF")
@example("FROM a\n# \u2028\nRUN a".encode())
def test_any_bytes(text):
    """Any bytes are a Dockerfile or an error with its line, soon; the instructions cover the file in their order."""
    refused = None
    try:
        holds(parse(text), text.decode())
    except DockerfileError as error:
        refused = error
    assert refused is None or (sentences(refused) and 0 <= refused.line <= text.count(b"\n") + 1)


@quick
@given(st.lists(FRAGMENTS, max_size=30), st.dictionaries(NAMES, VALUES, max_size=3))
def test_any_words(parts, args):
    """Any variables, braces and quotes in an instruction that expands are expanded, or said to be wrong."""
    with suppress(DockerfileError):
        parse("ARG A=1\nFROM scratch\nARG A\nWORKDIR " + "".join(parts), args=args)


def quoted(value: str) -> str:
    """A value in double quotes, of which nothing is special any more."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


@st.composite
def instructions(draw):
    """An instruction's text, and what it has to be read as: keyword, pairs, words, heredoc bodies."""
    kind = draw(st.sampled_from(["ENV", "LABEL", "RUN", "CMD", "COPY", "HEREDOC"]))
    if kind in ("ENV", "LABEL"):
        pairs = draw(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3))
        between = draw(st.sampled_from([" ", "  ", " \\\n  ", " \\\n# why\n\n "]))
        return f"{kind} " + between.join(f"{name}={quoted(value)}" for name, value in pairs.items()), (
            kind,
            pairs,
            None,
            [],
        )
    if kind == "HEREDOC":
        bodies = draw(st.lists(st.lists(VALUES, max_size=3), min_size=1, max_size=3))
        opened = " ".join(f"<<'E{at}'" for at in range(len(bodies)))
        below = "".join("".join(f"{line}\n" for line in body) + f"E{at}\n" for at, body in enumerate(bodies))
        told = ["".join(f"{line}\n" for line in body) for body in bodies]
        return f"COPY {opened} /\n{below}"[:-1], ("COPY", {}, None, told)
    words = draw(st.lists(st.from_regex(r"[a-z/.]{1,6}", fullmatch=True), min_size=2, max_size=4))
    if draw(st.booleans()):
        listed = ", ".join(f'"{word}"' for word in words)
        return f"{kind} [{listed}]", (kind, {}, tuple(words), [])
    return f"{kind} " + draw(st.sampled_from([" ", " \\\n"])).join(words), (kind, {}, tuple(words), [])


@quick
@given(st.lists(instructions(), max_size=6), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]))
def test_what_is_written_is_read(written, end, mark):
    """A file that was put together from known instructions is taken apart into the same."""
    text = mark + "\n\n# comment \\\n".join(["FROM scratch", *(each for each, _ in written)]).replace("\n", end)
    tree = parse(text.encode())

    holds(tree, text)
    assert len(tree.instructions) == len(written) + 1
    for instruction, (_, (keyword, pairs, words, bodies)) in zip(tree.instructions[1:], written, strict=True):
        assert instruction.keyword == keyword
        assert instruction.pairs == pairs
        assert words in (None, instruction.words)
        assert [each.body.replace("\r\n", "\n") for each in instruction.heredocs] == bodies


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch\nRUN " + "x" * 10_000_000,
        "FROM scratch\n" + "RUN a \\\n" * 200_000,
        "FROM scratch\nWORKDIR " + "${A:-" * 10_000,
        "FROM scratch\nRUN " + "[" * 60_000,
        "FROM scratch\nCOPY " + "<<a " * 10_000 + "/",
        "FROM scratch\nRUN " + "<< a " * 10_000 + "\n" + "b\n" * 100_000,
        "FROM scratch\nENV A=" + "'\"" * 30_000,
        "FROM scratch\nENV " + "\\" * 60_001,
        "ONBUILD " * 8_000,
        "FROM scratch\nCOPY " + "--exclude=a " * 5_000 + "a /",
        "FROM scratch\nRUN --mount=" + ",a=\"" * 10_000,
        "FROM scratch\n" + "COPY <<a /\n" + "$A\\" * 300_000 + "\na",
    ],
)  # fmt: skip
@pytest.mark.timeout(10)
def test_heavy(text):
    """What is big, deep or unended is read or refused in good time."""
    with suppress(DockerfileError):
        parse(text)
