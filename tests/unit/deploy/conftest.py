from __future__ import annotations

import json
import os
import sys

import pytest
import yaml

from dockyard.deploy import TARGETS, workload_of
from dockyard.settings import load

IMAGE = f"registry.example/team/tiny-service@sha256:{'a1' * 32}"
# -I and -S: no site packages, so that one call costs 15 ms. Only the folder's own answers are known to it.
PROGRAM = f"""#!{sys.executable} -IS
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
name, call = pathlib.Path(__file__).name, sys.argv[1:]
with open(folder / "calls", "a") as calls:
    print(json.dumps([name, *call]), file=calls)
answers = json.loads((folder / "answers").read_text())
at = next(i for i, each in enumerate(answers) if all(word in " ".join(call) for word in each["words"]))
answer = answers[at]
if answer["once"]:
    del answers[at]
    (folder / "answers").write_text(json.dumps(answers))
sys.stdout.write(answer["output"])
sys.stderr.write(answer["error"])
sys.exit(answer["code"])
"""


@pytest.fixture
def settings_of(project):
    """Load the project's settings with dotted keys; the value of a table is a table."""

    def settings_of(**changed):
        return load({key.replace("__", "."): value for key, value in changed.items()}, start=project).settings

    return settings_of


@pytest.fixture
def rendered(settings_of):
    """Render a target with changed settings; return its files."""

    def rendered(to, **changed):
        image = changed.pop("of", IMAGE)
        return TARGETS[to].files(workload_of(settings_of(**changed), image))

    return rendered


@pytest.fixture
def objects(rendered):
    """Render the plain manifests with changed settings; return the objects by kind."""

    def objects(**changed):
        text = rendered("kubernetes", **changed)[TARGETS["kubernetes"].main]
        return {each["kind"]: each for each in yaml.safe_load_all(text)}

    return objects


class Player:
    """Programs of some names, first on PATH, that write down how they are called and play laid-out answers."""

    def __init__(self, folder, *names):
        folder.mkdir()
        self._folder, self._answers = folder, []
        for name in names:
            program = folder / name
            program.write_text(PROGRAM, "utf-8")
            program.chmod(0o755)
        self.lay("")

    def lay(self, *words, output="", error="", code=0, once=False):
        """Lay out the answer to each call that holds these words; the latest that fits is given, once or ever."""
        given = output if isinstance(output, str) else json.dumps(output)
        answer = {"words": list(words), "output": given, "error": error, "code": code, "once": once}
        self._answers = [answer, *json.loads((self._folder / "answers").read_text())] if self._answers else [answer]
        (self._folder / "answers").write_text(json.dumps(self._answers), "utf-8")

    @property
    def calls(self):
        """The command lines so far."""
        calls = self._folder / "calls"
        return [" ".join(json.loads(line)) for line in calls.read_text("utf-8").splitlines()] if calls.exists() else []


@pytest.fixture
def player(tmp_path, monkeypatch):
    """A kubectl and a docker that record and play."""
    played = Player(tmp_path / "programs", "kubectl", "docker")
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}{os.pathsep}{os.environ['PATH']}")
    return played
