"""What each instruction takes: its flags, how many arguments, and of which form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.dockerfile.heredoc import opening
from dockyard.dockerfile.problem import Refused
from dockyard.dockerfile.tree import Flag, Form
from dockyard.dockerfile.words import BLANKS, SPACE, blanks, json_list, split_keyword, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# `--x`, `--x=value` once, and `--x=value` repeated.
BARE, ONCE, MANY = range(3)
FLAGS: dict[str, dict[str, int]] = {
    "ADD": {
        "chown": ONCE,
        "chmod": ONCE,
        "link": BARE,
        "keep-git-dir": BARE,
        "checksum": ONCE,
        "unpack": BARE,
        "exclude": MANY,
    },
    "COPY": {"chown": ONCE, "from": ONCE, "chmod": ONCE, "link": BARE, "exclude": MANY, "parents": BARE},
    "FROM": {"platform": ONCE},
    "HEALTHCHECK": {"interval": ONCE, "timeout": ONCE, "start-period": ONCE, "start-interval": ONCE, "retries": ONCE},
    "RUN": {"mount": MANY, "network": ONCE, "security": ONCE, "device": MANY},
}
# BuildKit takes any flag of these, and does nothing with it.
FLAGS_IGNORED = ("ARG", "STOPSIGNAL")
SHELL_OR_JSON = ("RUN", "CMD", "ENTRYPOINT", "SHELL")
ONE_ARGUMENT = ("MAINTAINER", "USER", "WORKDIR", "STOPSIGNAL")
PAIRS = ("ENV", "LABEL")
KEYWORDS = (
    *SHELL_OR_JSON,
    *ONE_ARGUMENT,
    *PAIRS,
    "ADD",
    "COPY",
    "VOLUME",
    "ARG",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "ONBUILD",
)
STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
PORTS = re.compile(r"([0-9]+)(?:-([0-9]+))?(?:/(?:tcp|udp|sctp)?(?:/.*)?)?", re.IGNORECASE)
LAST_PORT = 65535
DURATION = re.compile(r"[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)")


def flags(keyword: str, given: Sequence[str]) -> tuple[Flag, ...]:
    """Read an instruction's flags.

    Raises:
        Refused: It has no such flag, or not with such a value.
    """
    known = FLAGS.get(keyword, {})
    found: list[Flag] = []
    for text in given:
        name, separator, value = text.removeprefix("--").partition("=")
        if keyword not in FLAGS_IGNORED:
            _check_flag(keyword, name, known.get(name), value if separator else None)
            if known[name] != MANY and any(each.name == name for each in found):
                raise Refused(f"{keyword} --{name} is given twice.")
        found.append(Flag(name=name, value=value if separator else "true"))
    return tuple(found)


def _check_flag(keyword: str, name: str, kind: int | None, value: str | None) -> None:
    if kind is None:
        raise Refused(f"{keyword} has no flag --{name}.")
    if kind == BARE and value is not None and value.lower() not in ("true", "false"):
        raise Refused(f"{keyword} --{name} is true or false, not {value}.")
    if kind != BARE and value is None:
        raise Refused(f"{keyword} --{name} lacks a value.")


def words(keyword: str, arguments: str, escape: str) -> tuple[tuple[str, ...], Form]:
    """Cut an instruction's arguments into words, and tell their form.

    Raises:
        Refused: They are a JSON list, but not of strings.
    """
    if keyword in SHELL_OR_JSON:
        listed = json_list(arguments)
        return (tokens(arguments, escape), "shell") if listed is None else (listed, "exec")
    if keyword == "HEALTHCHECK":
        kind, command = split_keyword(arguments)
        listed = json_list(command)
        first = (kind,) if kind else ()
        return (first + tokens(command, escape), "shell") if listed is None else (first + listed, "exec")
    if keyword in ("ADD", "COPY", "VOLUME"):
        listed = json_list(arguments)
        return (blanks(arguments), "") if listed is None else (listed, "exec")
    if keyword in ("EXPOSE", "FROM"):
        return blanks(arguments), ""
    if keyword in ONE_ARGUMENT:
        return (arguments,) if arguments else (), ""
    return tokens(arguments, escape), ""


def pairs(keyword: str, arguments: str, found: Sequence[str]) -> list[tuple[str, str | None]]:
    """Return the names and values of ENV, LABEL or ARG, not expanded.

    Raises:
        Refused: One has no name or, but for ARG, no value.
    """
    if keyword != "ARG" and "=" not in found[0]:
        name, *value = BLANKS.split(arguments, maxsplit=1)
        if not value:
            raise Refused(f"{keyword} {name} has no value.")
        return [(name, value[0])]
    split = [word.partition("=") for word in found]
    for name, separator, _ in split:
        if not separator and keyword != "ARG":
            raise Refused(f"{keyword} {name} lacks an equals sign.")
        if not name:
            raise Refused(f"{keyword} has a value without a name.")
    return [(name, value if separator else None) for name, separator, value in split]


def check(keyword: str, found: Sequence[str], form: Form, given: Sequence[Flag]) -> None:
    """Check an instruction's arguments.

    Raises:
        Refused: It needs more, fewer or other ones.
    """
    if not found and keyword in (*ONE_ARGUMENT, *PAIRS, "ARG", "EXPOSE", "VOLUME", "HEALTHCHECK", "ONBUILD", "SHELL"):
        raise Refused(f"{keyword} needs an argument.")
    if keyword in CHECKS:
        CHECKS[keyword](found, form, given)


def _check_copy(found: Sequence[str], _form: Form, _given: Sequence[Flag]) -> None:
    if len(found) < 2:  # noqa: PLR2004 - one source and the destination
        raise Refused("ADD and COPY need a source and a destination.")
    if opening(found[-1]):
        raise Refused(f"The destination is the heredoc {found[-1]}.")


def _check_from(found: Sequence[str], _form: Form, _given: Sequence[Flag]) -> None:
    match found:
        case [_]:
            return
        case [_, word, name] if word.lower() == "as":
            if not STAGE_NAME.fullmatch(name.lower()):
                raise Refused(f"{name} is no name of a stage: letters first, then digits, dots, dashes too.")
        case _:
            raise Refused("FROM takes an image, and perhaps AS and a name.")


def _check_run(found: Sequence[str], form: Form, _given: Sequence[Flag]) -> None:
    if form == "exec" and not found:
        raise Refused("RUN has an empty list for a command.")


def _check_shell(_found: Sequence[str], form: Form, _given: Sequence[Flag]) -> None:
    if form != "exec":
        raise Refused("SHELL takes a JSON list only.")


def _check_volume(found: Sequence[str], _form: Form, _given: Sequence[Flag]) -> None:
    if not all(each.strip(SPACE) for each in found):
        raise Refused("VOLUME holds an empty path.")


def _check_healthcheck(found: Sequence[str], _form: Form, given: Sequence[Flag]) -> None:
    kind, command = found[0].upper(), found[1:]
    if kind not in ("CMD", "NONE") or (kind == "CMD") != bool(command):
        raise Refused("HEALTHCHECK takes CMD and a command, or NONE alone.")
    for each in given:
        if each.name == "retries" and each.value and not re.fullmatch(r"\+?\d+|-0+", each.value):
            raise Refused(f"--retries is a number of 0 or more, not {each.value}.")
        if each.name != "retries" and each.value and not DURATION.fullmatch(each.value):
            raise Refused(f"--{each.name} is a time such as 30s, not {each.value}.")


def check_ports(ports: Sequence[str]) -> None:
    """Check what EXPOSE names once it is expanded.

    Raises:
        Refused: One is no port, nor a range of them.
    """
    for each in ports:
        found = PORTS.fullmatch(each.rpartition(":")[2])
        if not found or not int(found[1][:9]) <= int((found[2] or found[1])[:9]) <= LAST_PORT:
            raise Refused(f"{each} is no port.")


CHECKS: dict[str, Callable[[Sequence[str], Form, Sequence[Flag]], None]] = {
    "ADD": _check_copy,
    "COPY": _check_copy,
    "FROM": _check_from,
    "RUN": _check_run,
    "SHELL": _check_shell,
    "VOLUME": _check_volume,
    "HEALTHCHECK": _check_healthcheck,
}
