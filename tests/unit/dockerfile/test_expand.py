from __future__ import annotations

import pytest

from dockyard.dockerfile import DockerfileError, parse


def expanded(word: str) -> str:
    """A word of WORKDIR where A=1, E is empty, F=foo.tar.gz, S='x y', and N is not set."""
    tree = parse(f"FROM scratch\nENV A=1 E= F=foo.tar.gz S='x y'\nWORKDIR {word}")
    (found,) = tree.instructions[-1].expanded
    return found


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("$A", "1"),
        ("a${A}b$A", "a1b1"),
        ("$A_", ""),
        ("$Ab", ""),
        ("x$N", "x"),
        ("x$", "x$"),
        ("x$/", "x$/"),
        ("$1a", "a"),
        ("$$A", "A"),
        ("${A}", "1"),
        ("\\$A", "$A"),
        ("\\a\\\\", "a\\"),
        ("'$A'", "$A"),
        ("'a b'\"c $A\"", "a bc 1"),
        ('"\\$A \\" \\\\ \\a"', '$A " \\ \\a'),
        ("\"'$A'\"", "'1'"),
        ("$S", "x y"),
        ("${N:-d}${E:-d}${A:-d}", "dd1"),
        ("${N-d}${E-d}${A-d}", "d1"),
        ("x${N:+d}${E:+d}${A:+d}", "xd"),
        ("x${N+d}${E+d}${A+d}", "xdd"),
        ("${A:?e}${A?e}x${E?e}", "11x"),
        ("${N:-${A}${N:-b}}", "1b"),
        ("${N:-'a}b'}", "a}b"),
        ("${N:-a\\}b}", "a}b"),
        ("${F#*.}", "tar.gz"),
        ("${F##*.}", "gz"),
        ("${F%.*}", "foo.tar"),
        ("${F%%.*}", "foo"),
        ("${F#foo}${F%?gz}", ".tar.gzfoo.tar"),
        ("${F#nope}", "foo.tar.gz"),
        ("x${N#a}${N%a}${N/a/b}", "x"),
        ("${F/o/0}", "f0o.tar.gz"),
        ("${F//o/0}", "f00.tar.gz"),
        ("${F/.*/}", "foo"),
        ("${F//./\\\\1}", "foo\\\\1tar\\\\1gz"),
        ("${F/\\*/x}", "foo.tar.gz"),
    ],
)
def test_expanded(word, expected):
    """Variables, quotes and escapes mean what they mean to BuildKit."""
    assert expanded(word) == expected


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("${A", "missing"),
        ("${", "no name"),
        ("${}", "no name"),
        ("${:-a}", "no name"),
        ("${A:}", "no substitution"),
        ("${A^}", "no substitution"),
        ("${A:#a}", "no substitution"),
        ("${A:-b", "} is missing"),
        ("${A/b}", "/ is missing"),
        ("${A/b/c", "} is missing"),
        ("${F#\\a}", "escape"),
        ("${N:?has no value}", "N: has no value"),
        ("${E:?}", "E: is not allowed to be empty"),
        ("${N?}", "N: is not allowed to be unset"),
        ("'a", "single quote"),
        ('"a', "double quote"),
        ("${N:-" * 200, "nested"),
    ],
)
def test_refused(word, why):
    """What cannot be expanded is said."""
    with pytest.raises(DockerfileError) as caught:
        expanded(word)
    assert why in caught.value.why
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("RUN echo $A", ("echo", "$A")),
        ("CMD $A", ("$A",)),
        ('ENTRYPOINT ["$A"]', ("$A",)),
        ('SHELL ["$A"]', ("$A",)),
        ("HEALTHCHECK CMD $A", ("CMD", "$A")),
        ("ONBUILD RUN $A", ("RUN", "$A")),
        ("MAINTAINER $A", ("$A",)),
        ("COPY $A <<$A /$A\n$A", ("1", "<<$A", "/1")),
        ("ADD $A /$A", ("1", "/1")),
        ("USER $A", ("1",)),
        ("STOPSIGNAL $A", ("1",)),
        ("VOLUME /$A /b", ("/1", "/b")),
        ("EXPOSE $A $N $M", ("1", "80", "90")),
        ("ENV B=$A", ("B=1",)),
        ("LABEL b=$A", ("b=1",)),
        ("ARG B=$A C", ("B=1", "C")),
    ],
)
def test_who_expands(line, expected):
    """What a shell will read is left to it; the rest is expanded."""
    assert parse(f"FROM scratch\nENV A=1 M='80 90'\n{line}").instructions[2].expanded == expected


def test_flags_are_expanded():
    """Owner and mode may come from variables, the source of a copy may not."""
    tree = parse("FROM scratch\nARG A=1\nCOPY --chown=$A --chmod=75$A a /")

    assert [each.value for each in tree.instructions[2].flags] == ["1", "751"]
    with pytest.raises(DockerfileError):
        parse("FROM scratch\nARG A=1\nCOPY --from=$A a /")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN  echo '$A' \"$A\" $N \\$A", "RUN echo '$A' \"1\" $N $A"),
        ("run a", "RUN a"),
        ("RUN echo ' $A", "RUN echo ' $A"),
        ("RUN <<x\n\n a\n b\nx", "RUN <<x (a...)"),
        ("RUN <<x cat\na\nx", "RUN <<x cat"),
        ("COPY \"a\" $N '$A' /$A", "COPY a  $A /1"),
        ("WORKDIR /$A", "WORKDIR /1"),
        ("ENV B=1", ""),
    ],
)
def test_printed(text, expected):
    """A step is named as BuildKit names it."""
    text = text.replace("RUN  echo", "RUN echo")
    assert parse(f"FROM scratch\nENV A=1\n{text}").instructions[2].printed == expected
