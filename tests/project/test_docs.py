"""What the documents say is so, and what is so is in the documents."""

from __future__ import annotations

import importlib.util
import re
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from invoke.exceptions import ParseError
from invoke.parser import Parser
from invoke.program import Program

from dockyard import errors
from dockyard.settings import keys

from . import render_settings

if TYPE_CHECKING:
    from invoke.collection import Collection
    from invoke.tasks import Task

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]
FENCE = re.compile(r"^(?P<mark>```+) *(?P<kind>\w*)\n(?P<text>.*?)^(?P=mark)$", re.MULTILINE | re.DOTALL)
KINDS = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, Exception)]


def named(path: Path) -> str:
    """A page's path below the root."""
    return path.relative_to(ROOT).as_posix()


def read(name: str) -> str:
    """A page of docs/."""
    return (DOCS / name).read_text("utf-8")


def own_tasks() -> Collection:
    """The tasks of this repository: dockyard's, and those that its tasks.py adds."""
    spec = importlib.util.spec_from_file_location("tasks", ROOT / "tasks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.namespace


namespace = own_tasks()


def section(page: str, heading: str) -> str:
    """The text under a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading ## {heading}"
    return found[1]


def flags(task: Task) -> set[str]:
    """A task's flags in their long form."""
    return {f"--{argument.names[0]}" for argument in task.get_arguments()}


def anchor(heading: str) -> str:
    """The anchor that a heading gets on the web."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def typed(path: Path) -> list[str]:
    """The commands on a page: what follows a prompt in `console` blocks, the lines of `sh` blocks, code in a line."""
    text = path.read_text("utf-8")
    lines = []
    for block in FENCE.finditer(text):
        whole = block["text"].replace("\\\n", " ").splitlines()
        prompted = [line.removeprefix("$ ") for line in whole if line.startswith("$ ")]
        lines += {"console": prompted, "sh": whole}.get(block["kind"], [])
    parts = [part for line in lines for part in re.split(r"\s(?:&&|\|\||\||;)\s", line)]
    return parts + re.findall(r"(?<!`)`([^`\n]+)`(?!`)", FENCE.sub("", text))


def calls(program: str, commands: list[str]) -> list[list[str]]:
    """Those commands that call a program, as words; variables set before it are dropped."""
    plain = [re.sub(r"^(?:[A-Z_]+=\S* +)+", "", command.strip()) for command in commands]
    return [shlex.split(each, comments=True) for each in plain if re.match(rf"{program}(\s|$)", each)]


def refusal(words: list[str]) -> str:
    """Why Invoke would not take a command line; nothing if it would. Its own flags come first, as when it is called."""
    core = Program().initial_context
    try:
        own = Parser(initial=core, ignore_unknown=True).parse_argv([word for word in words[1:] if word != "…"])
        Parser(contexts=namespace.to_contexts(), initial=core).parse_argv(own.unparsed)
    except ParseError as error:
        return f"{shlex.join(words)}: {error}"
    return ""


def test_settings_page():
    """docs/settings.md has each key with its default, variable and purpose in the settings' own words, and no other."""
    written = [line for line in read("settings.md").splitlines() if line.startswith("| `")]
    wanted = [line for line in render_settings.page().splitlines() if line.startswith("| `")]
    wrong = f"run `python tests/project/render_settings.py`: {sorted(set(written) ^ set(wanted))}"
    assert written == wanted, wrong
    assert [key for key in keys() if f"| `{key}` |" not in read("settings.md")] == []


def test_settings_page_shows_this_repository():
    """The example in docs/settings.md is this repository's own table."""
    example = next(block["text"] for block in FENCE.finditer(read("settings.md")) if block["kind"] == "toml")
    own = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["dockyard"]
    assert tomllib.loads(example)["tool"]["dockyard"] == own


def test_every_task_is_documented():
    """docs/tasks.md has a heading for each task, and none for a task that does not exist."""
    headings = re.findall(r"^## `([\w-]+)`$", read("tasks.md"), re.MULTILINE)
    assert sorted(headings) == sorted(namespace.task_names)


@pytest.mark.parametrize("name", sorted(namespace.task_names))
def test_every_flag_is_documented(name):
    """A task's section has a row for each of its flags, and none for a flag that it lacks."""
    rows = re.findall(r"^\| `(--[\w-]+)", section(read("tasks.md"), f"`{name}`"), re.MULTILINE)
    assert sorted(rows) == sorted(flags(namespace[name]))


@pytest.mark.parametrize("name", sorted(namespace.task_names))
def test_exit_codes_of_tasks_exist(name):
    """A task's section says how it may end, in exit codes that some error has."""
    told = re.search(r"^Exit codes: (.*?)\n\n", section(read("tasks.md"), f"`{name}`") + "\n", re.MULTILINE | re.DOTALL)
    assert told, f"{name} has no paragraph `Exit codes: …`"
    codes = {int(code) for code in re.findall(r"\b\d+\b", told[1])}
    assert 0 in codes
    assert codes <= {0, *(error.exit_code for error in KINDS)}


@pytest.mark.parametrize("error", KINDS, ids=lambda error: error.__name__)
def test_every_exit_code_is_documented(error):
    """docs/errors.md has a row for each kind of error, with the code that it ends with."""
    assert re.search(rf"^\| {error.exit_code} \| `{error.__name__}` \|", read("errors.md"), re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path):
    """Each relative link names a file that is there and, if it says so, a heading in it."""
    text = FENCE.sub("", path.read_text("utf-8"))
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        name, _, heading = target.partition("#")
        page = (path.parent / name).resolve() if name else path
        if not page.exists() or (heading and heading not in anchors(page)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    return {anchor(each) for each in re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)}


def test_every_page_is_in_the_index():
    """docs/index.md leads to each page of docs/."""
    linked = {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", read("index.md"))}
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert pages - {"index.md"} <= linked


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_commands_can_be_typed(path):
    """Each `invoke …` names tasks and flags that exist, in a form that Invoke takes, and each `nox -s …` sessions."""
    commands = typed(path)
    assert [why for words in calls("invoke", commands) if (why := refusal(words))] == []
    known = set(
        re.findall(r"^ *def (\w+)\(session: nox\.Session\)", (ROOT / "noxfile.py").read_text("utf-8"), re.MULTILINE)
    )
    sessions = {words[2] for words in calls("nox", commands) if words[1:2] == ["-s"]}
    assert {name for name in sessions if re.sub(r"-3\.\d+$", "", name) not in known} == set()


def test_commands_are_found():
    """The test above has something to look at."""
    commands = [command for path in PAGES for command in typed(path)]
    assert len(calls("invoke", commands)) > 50
    assert len(calls("nox", commands)) > 10


@pytest.mark.parametrize("path", sorted((ROOT / "src" / "dockyard").rglob("*.py")), ids=named)
def test_advice_can_be_typed(path):
    """Each `invoke …` that the code tells a user to type names tasks and flags that exist."""
    told = re.findall(r"`(invoke (?!\{)[^`\n]*)`", path.read_text("utf-8"))
    advised = [re.sub(r"\{[^}]*\}", "3", each) for each in told]
    assert [why for words in calls("invoke", advised) if (why := refusal(words))] == []
