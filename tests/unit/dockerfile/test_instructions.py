from __future__ import annotations

import pytest

from dockyard.dockerfile import DockerfileError, Flag, Instruction, parse


def only(line: str) -> Instruction:
    """The instruction of a line."""
    return parse(f"FROM scratch\n{line}").instructions[1]


@pytest.mark.parametrize(
    ("line", "form", "words"),
    [
        ("RUN a  'b c' \"d e\"", "shell", ("a", "'b c'", '"d e"')),
        ("RUN a\\ b", "shell", ("a\\ b",)),
        ("RUN 'a", "shell", ("'a",)),
        ('RUN ["a", "b c"]', "exec", ("a", "b c")),
        ('RUN   [ "a" , "\\u00e9\\ud800" ]', "exec", ("a", "é\ufffd")),
        ("CMD []", "exec", ()),
        ('RUN ["a",]', "shell", ('["a",]',)),
        ("RUN ['a']", "shell", ("['a']",)),
        ('RUN ["a"', "shell", ('["a"',)),
        ('RUN ["a"] b', "shell", ('["a"]', "b")),
        ("RUN [NaN]", "shell", ("[NaN]",)),
        ("RUN [" * 2000, "shell", ("[RUN",) * 1999 + ("[",)),
        ("CMD a", "shell", ("a",)),
        ("CMD", "shell", ()),
        ('ENTRYPOINT ["a"]', "exec", ("a",)),
        ('SHELL ["a", "-c"]', "exec", ("a", "-c")),
        ("COPY a 'b' /", "", ("a", "'b'", "/")),
        ('COPY ["a b", "/"]', "exec", ("a b", "/")),
        ("COPY [a] /", "", ("[a]", "/")),
        ("ADD a /", "", ("a", "/")),
        ('VOLUME ["/a b"]', "exec", ("/a b",)),
        ("VOLUME /a /b", "", ("/a", "/b")),
        ("EXPOSE 80  443/TCP 1:2-3/udp", "", ("80", "443/TCP", "1:2-3/udp")),
        ("WORKDIR /a b", "", ("/a b",)),
        ("USER 1:1", "", ("1:1",)),
        ("STOPSIGNAL SIGINT", "", ("SIGINT",)),
        ("MAINTAINER a b", "", ("a b",)),
        ("HEALTHCHECK NONE", "shell", ("NONE",)),
        ("HEALTHCHECK CMD a b", "shell", ("CMD", "a", "b")),
        ('HEALTHCHECK CMD ["a", "b c"]', "exec", ("CMD", "a", "b c")),
        ("ENV A=1 B='x y'", "", ("A=1", "B='x y'")),
        ("ARG A B=1", "", ("A", "B=1")),
        ("ONBUILD RUN a b", "", ("RUN", "a", "b")),
    ],
)
def test_words(line, form, words):
    """Each instruction is cut into words as BuildKit cuts it; a JSON list is one only if it is whole."""
    instruction = only(line)

    assert instruction.form == form
    assert instruction.words == words


@pytest.mark.parametrize(
    ("line", "flags", "arguments"),
    [
        ("COPY --chmod=755 --link a /", [("chmod", "755"), ("link", "true")], "a /"),
        ("COPY --exclude=a --exclude=b a /", [("exclude", "a"), ("exclude", "b")], "a /"),
        ("COPY --chown='a b' --from=\"x\" a /", [("chown", "a b"), ("from", "x")], "a /"),
        ("COPY --chown=a\\ b --parents=false a /", [("chown", "a b"), ("parents", "false")], "a /"),
        ("COPY -- --a /", [], "--a /"),
        ("COPY a --link /", [], "a --link /"),
        ('COPY --link ["a", "/"]', [("link", "true")], '["a", "/"]'),
        ("RUN --network=none --security=insecure a --b", [("network", "none"), ("security", "insecure")], "a --b"),
        ("HEALTHCHECK --interval=1m5.5s --retries=3 CMD a", [("interval", "1m5.5s"), ("retries", "3")], "CMD a"),
        ("ADD --keep-git-dir --checksum=sha256:0 a /", [("keep-git-dir", "true"), ("checksum", "sha256:0")], "a /"),
    ],
)
def test_flags(line, flags, arguments):
    """Flags stand in front, keep their order, and lose their quotes."""
    instruction = only(line)

    assert instruction.flags == tuple(Flag(name=name, value=value) for name, value in flags)
    assert instruction.arguments == arguments
    assert instruction.flag(flags[-1][0] if flags else "link") == (flags[-1][1] if flags else None)


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        ("ENV A=1 B=$A C='x y' D=\"x $E\" F=a\\ b", {"A": "1", "B": "0", "C": "x y", "D": "x ", "F": "a b"}),
        ("ENV A some  'words' $A", {"A": "some  words 0"}),
        ("ENV A=", {"A": ""}),
        ("LABEL a.b=c 'd e'=f=g", {"a.b": "c", "d e": "f=g"}),
        ("LABEL a b c", {"a": "b c"}),
        ("ARG X Y= Z=$A W=${Z}1", {"X": None, "Y": "", "Z": "0", "W": "01"}),
    ],
)
def test_pairs(line, pairs):
    """ENV, LABEL and ARG have names and values; those of one ENV do not see each other, those of one ARG do."""
    assert parse(f"FROM scratch\nENV A=0\n{line}").instructions[2].pairs == pairs


def test_trigger():
    """What ONBUILD keeps for later is read, and not expanded."""
    trigger = only("ONBUILD copy --chmod=1 $A /").trigger

    assert trigger is not None
    assert (trigger.keyword, trigger.words, trigger.flag("chmod")) == ("COPY", ("$A", "/"), "1")
    assert only("ONBUILD FETCH a").trigger is None
    assert only("ONBUILD COPY a").trigger is None


@pytest.mark.parametrize(
    "line",
    [
        "FETCH a",
        "RUN\u00a0a",
        "\x1cRUN a",
        "COPY a",
        "COPY",
        'COPY ["a"]',
        "COPY a <<x\nx",
        "ADD --from=x a /",
        "COPY --nope a /",
        "COPY --link=perhaps a /",
        "COPY --chmod a /",
        "COPY --chmod=1 --chmod=2 a /",
        "CMD [1]",
        "RUN []",
        "CMD [null]",
        'RUN ["a", ["b"]]',
        "CMD --a b",
        "WORKDIR",
        "USER",
        "STOPSIGNAL",
        "MAINTAINER",
        "EXPOSE",
        "VOLUME",
        'VOLUME [" "]',
        "ENV",
        "ENV A",
        "ENV A=1 B",
        "ENV =1",
        "LABEL",
        "LABEL a",
        "ARG",
        "ARG =1",
        "ARG ok =1",
        "SHELL",
        "SHELL sh -c",
        "SHELL []",
        "HEALTHCHECK",
        "HEALTHCHECK a",
        "HEALTHCHECK CMD",
        "HEALTHCHECK NONE a",
        "HEALTHCHECK --interval=1 CMD a",
        "HEALTHCHECK --retries=-1 CMD a",
        "HEALTHCHECK --retries=x CMD a",
        "ONBUILD",
        "ONBUILD ONBUILD RUN a",
        "ONBUILD FROM a",
        "ONBUILD MAINTAINER a",
        "ONBUILD CMD [1]",
        "ONBUILD ENV A",
        "EXPOSE a",
        "EXPOSE 80/http",
        "EXPOSE 90-80",
        "EXPOSE 65536",
        "EXPOSE 1 /tcp",
        "FROM",
        "FROM a b",
        "FROM a AS",
        "FROM a AS 1",
        "FROM a AS b c",
        "FROM --platform a",
        "FROM --platform=$N a",
        "FROM --platform=a/b/c/d a",
        "FROM Upper",
        "FROM a b=c as d",
        "FROM a@sha256:0",
        "FROM a:b:c",
    ],
)
def test_refused(line):
    """What BuildKit refuses is refused, with the line of the instruction."""
    with pytest.raises(DockerfileError) as caught:
        parse(f"FROM scratch\n\n{line}\n")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "reference",
    ["a", "a/b", "a:B_1", "x.y/a:1", "localhost/a", "localhost:5000/a/b", "X.Y:1/a", "a-b_c__d.e", f"a:1@b:{'0' * 32}"],
)
def test_references(reference):
    """What is an image's name is taken as a base."""
    assert parse(f"FROM {reference}").final.reference == reference
