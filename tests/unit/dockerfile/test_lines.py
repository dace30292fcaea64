from __future__ import annotations

import pytest

from dockyard.dockerfile import DockerfileError, parse
from support import sentences


def spans(text: str | bytes) -> list[tuple[str, str, int, int]]:
    """The keyword, the arguments, and the lines of every instruction but the first."""
    return [(each.keyword, each.arguments, each.line, each.end_line) for each in parse(text).instructions[1:]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN a", [("RUN", "a", 2, 2)]),
        ("run a\n\n  Cmd b\n", [("RUN", "a", 2, 2), ("CMD", "b", 4, 4)]),
        ("RUN a \\\n  b\n", [("RUN", "a   b", 2, 3)]),
        ("RUN a\\\nb \\ \t\nc", [("RUN", "ab c", 2, 4)]),
        ("RUN a \\\n# no\n\n   # no\n  \t\n b\nCMD c", [("RUN", "a  b", 2, 7), ("CMD", "c", 8, 8)]),
        ("RUN a \\\n", [("RUN", "a", 2, 2)]),
        ("RUN a \\\n# only a comment", [("RUN", "a", 2, 3)]),
        ("RUN a \\\\\nCMD b", [("RUN", "a \\\\", 2, 2), ("CMD", "b", 3, 3)]),
        ("\\\nRUN a", [("RUN", "a", 2, 3)]),
        ("RUN a # b", [("RUN", "a # b", 2, 2)]),
        ("# RUN a \\\nRUN b", [("RUN", "b", 3, 3)]),
        ("RUN a\r\nCMD b\r\n", [("RUN", "a", 2, 2), ("CMD", "b", 3, 3)]),
        ("RUN a \\\r\n b\r\n", [("RUN", "a  b", 2, 3)]),
        ("RUN a\x0b\x0c\x1c\x85b\u2028c", [("RUN", "a\x0b\x0c\x1c\x85b\u2028c", 2, 2)]),
        ("RUN\ta\t", [("RUN", "a", 2, 2)]),
    ],
)
def test_continued(text, expected):
    """Lines are joined where an escape ends them; comments and empty lines between them are left out."""
    assert spans(f"FROM scratch\n{text}") == expected


def test_raw():
    """The source text of an instruction is kept as it is, but for the end of its last line."""
    text = "FROM scratch\r\n\n  run a \\\r\n # why\r\n  b\r\n# end\nCOPY <<x /\n y\nx\n"
    raw = [each.raw for each in parse(text).instructions]

    assert raw == ["FROM scratch", "  run a \\\r\n # why\r\n  b", "COPY <<x /\n y\nx"]
    assert parse(text).instructions[1].text == "run a   b"


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ("FROM a", {}),
        ("# syntax=a/b:1\nFROM a", {"syntax": "a/b:1"}),
        ("#syntax = a/b:1 c \n#ESCAPE=`\r\nFROM a", {"syntax": "a/b:1 c", "escape": "`"}),
        ("  # check=skip=all\n# Escape = \\\nFROM a", {"check": "skip=all", "escape": "\\"}),
        ("\ufeff# escape=\\\nFROM a", {"escape": "\\"}),
        ("# a comment\n# escape=`\nFROM a", {}),
        ("\n# escape=`\nFROM a", {}),
        ("# other=1\n# escape=`\nFROM a", {}),
        ("FROM a\n# escape=`", {}),
        ("#!/bin/x\n# syntax=a\n# escape=`\nFROM a", {"syntax": "a"}),
    ],
)  # fmt: skip
def test_directives(text, directives):
    """Directives stand at the very top, one a line, and nothing stands before them."""
    assert parse(text).directives == directives
    assert parse(text.encode()).directives == directives


def test_escape():
    """With the backquote as escape a backslash is a letter, and a backquote joins lines and escapes variables."""
    tree = parse("# escape=`\nFROM scratch\nWORKDIR C:\\a\\\nENV A=1\nWORKDIR `$A\\$A `\n/b\n")

    assert [each.expanded for each in tree.instructions if each.keyword == "WORKDIR"] == [("C:\\a\\",), ("$A\\1 /b",)]


@pytest.mark.parametrize(
    ("line", "body", "names", "bodies"),
    [
        ("RUN <<EOF", "a\n<<IN\nIN\nEOF", ["EOF"], ["a\n<<IN\nIN\n"]),
        ("RUN cat <<EOF > x && y", "a\nEOF", ["EOF"], ["a\n"]),
        ("COPY <<a <<b /", "1\nb\na\n2\nb", ["a", "b"], ["1\nb\n", "2\n"]),
        ("ADD <<-a /", "\t\t1\n \t2\n\ta", ["a"], ["1\n \t2\n"]),
        ("RUN <<'a b'", "1\na b", ["a b"], ["1\n"]),
        ('RUN <<"a"', "1\na", ["a"], ["1\n"]),
        ("RUN <<a''b", "1\nab", ["ab"], ["1\n"]),
        ("RUN 3<<a", "1\na", ["a"], ["1\n"]),
        ("RUN <<a", "a", ["a"], [""]),
        ("RUN <<a", " a\na \na\r", ["a"], [" a\na \n"]),
        ("RUN <<EOF;", "1\nEOF;", ["EOF;"], ["1\n"]),
        ("RUN <<a \\\n b", "1 \\\na", ["a"], ["1 \\\n"]),
        ("RUN << a", "1\na", ["a"], ["1\n"]),
        ("RUN echo $((1 << 2))", "", [], []),
        ("RUN --network=none <<a", "1\na", ["a"], ["1\n"]),
        ("ONBUILD RUN <<a", "1\na", ["a"], ["1\n"]),
        ("RUN cat <<<a", "", [], []),
        ("RUN cat<<a", "", [], []),
        ("RUN echo '<<a'", "", [], []),
        ("RUN echo \\<<a", "", [], []),
        ("RUN echo 'it <<a", "", [], []),
        ('RUN ["cat", "<<a"]', "", [], []),
        ("CMD cat <<a", "", [], []),
        ("ENV A=<<a", "", [], []),
        ("LABEL a <<a", "", [], []),
        ("ONBUILD CMD <<a", "", [], []),
    ],
)
def test_heredocs(line, body, names, bodies):
    """The heredocs of RUN, COPY and ADD are found, with their bodies and lines; what only looks like one is none."""
    tree = parse(f"FROM scratch\n{line}\n{body}\nCMD end" if body else f"FROM scratch\n{line}\nCMD end")
    instruction = tree.instructions[1]

    assert [each.name for each in instruction.heredocs] == names
    assert [each.body for each in instruction.heredocs] == bodies
    assert tree.instructions[-1].arguments == "end"
    assert len(tree.instructions) == 3


def test_heredoc_span():
    """A heredoc's lines are those of its body and its end, and its instruction ends with the last one."""
    instruction = parse("FROM scratch\nCOPY <<a \\\n <<b /\n1\n2\na\nb\nRUN c").instructions[1]

    assert [(each.line, each.end_line) for each in instruction.heredocs] == [(4, 6), (7, 7)]
    assert (instruction.line, instruction.end_line) == (2, 7)
    assert instruction.words == ("<<a", "<<b", "/")


@pytest.mark.parametrize(
    ("line", "expand"), [("<<a", True), ("<<-a", True), ("<<'a'", False), ('<<"a"', False), ("<<'a'b", False)]
)
def test_heredoc_expands(line, expand):
    """The body of a heredoc without quotes has its variables replaced where it is copied, not where it runs."""
    name = line.strip("<-").replace("'", "").replace('"', "")
    body = f"\"$A\" \\$A '${{A}}' ${{B:-b}}\n{name}\n"
    tree = parse(f"FROM scratch\nENV A=1\nCOPY {line} /\n{body}RUN cat {line}\n{body}")
    copied, ran = tree.instructions[2].heredocs[0], tree.instructions[3].heredocs[0]

    assert copied.expand is expand
    assert copied.expanded == ("\"1\" $A '1' b\n" if expand else copied.body)
    assert ran.expanded == ran.body == copied.body


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (b"FROM a\nRUN \xff\n", 2, "UTF-8"),
        ("FROM a\nRUN <<a <<b\na\n", 2, "heredoc b"),
        ("# escape=`\n# escape=`\nFROM a", 2, "twice"),
        ("# escape=ab\nFROM a", 1, "escape"),
        ("FROM a\n#" + "x" * 2**16, 2, "longer"),
        ("FROM a\nRUN " + "é" * 2**15, 2, "longer"),
        ("", 0, "no FROM"),
        ("\n# a\n", 0, "no FROM"),
        ("\x00\x00", 1, "no instruction"),
        ("FROM a\n\\\n", 2, "no instruction"),
    ],
)
def test_refused(text, line, why):
    """What is no Dockerfile is said, with its name and its line."""
    with pytest.raises(DockerfileError) as caught:
        parse(text, name="some/Dockerfile")
    what, because, todo = sentences(caught.value)

    assert caught.value.exit_code == 2
    assert caught.value.line == line
    assert (f"some/Dockerfile:{line}" if line else "some/Dockerfile") in what
    assert why in because
    assert "some/Dockerfile" in todo


def test_longest_line():
    """A line of 65,536 bytes with its end is read, as BuildKit reads it."""
    assert parse("FROM a\n#" + "x" * (2**16 - 2) + "\n").stages


def test_many_lines_are_read_in_good_time():
    """A big file takes time by its size, not by its square."""
    count = 20_000
    text = "FROM scratch\nRUN a" + " << b" * 1000 + "\n" + "".join(f"ENV A{at}=1 \\\n  B=2\n" for at in range(count))

    assert len(parse(text).instructions) == count + 2
