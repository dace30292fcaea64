"""What the Dockerfile and .dockerignore promise, as far as their text tells; tests/containers asks the image itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
IGNORED = [
    line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and not line.startswith("#")
]


def instructions(stage: str) -> list[str]:
    """The instructions of a stage, comments left out and continued lines joined; a here-document's lines are apart."""
    _, _, text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).partition(f" AS {stage}\n")
    return re.split(r"^FROM ", text.replace("\\\n", " "), maxsplit=1, flags=re.MULTILINE)[0].splitlines()


def argument(keyword: str) -> str:
    """What an instruction of the last stage says; the last one counts."""
    return [line.removeprefix(keyword).strip() for line in instructions("runner") if line.startswith(f"{keyword} ")][-1]


def test_no_syntax_line():
    """No line asks for another frontend: it would be pulled from a registry before anything is built."""
    assert not re.search(r"^#\s*syntax\s*=", DOCKERFILE, flags=re.IGNORECASE | re.MULTILINE)


def test_no_recursive_chown():
    """Nothing is given another owner in a layer of its own, which would hold every file a second time."""
    assert not re.search(r"ch(own|mod)\s+(-\w*R|--recursive)", DOCKERFILE)


def test_user_is_numeric():
    """The user is said in digits, since Kubernetes can tell from nothing else that it is not root."""
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", argument("USER"))


@pytest.mark.parametrize("keyword", ["CMD", "HEALTHCHECK"])
def test_exec_form(keyword):
    """The service and its health check start without a shell, which would not pass SIGTERM on."""
    told = json.loads(re.search(r"\[.*\]$", argument(keyword))[0])
    assert told[0] == "python"


def test_healthcheck_notices_soon():
    """The health check looks every second while the service starts."""
    assert "--start-interval=1s" in argument("HEALTHCHECK")


def test_rights_do_not_come_from_the_checkout():
    """What is copied from the context gets its rights in the Dockerfile: a checkout's umask decides nothing."""
    copied = [line for line in instructions("runner") if re.match(r"COPY (?!--from)", line)]
    assert [line for line in copied if "--chmod=755 " not in line] == []


def test_config_is_copied_before_sources():
    """Configuration is a layer below the sources: an edit to them leaves it cached."""
    copied = [line.split()[-2] for line in instructions("runner") if re.match(r"COPY (?!--from)", line)]
    assert copied == ["config", "src/house_pricing"]


def test_no_secret_is_preset():
    """No ENV or ARG has a name that sounds like a secret, except of a file that holds one."""
    names = re.findall(r"(?:^(?:ARG|ENV) +|^ +)([A-Z][A-Z0-9_]*)=", DOCKERFILE, flags=re.MULTILINE)
    assert "API_KEY_FILE" in names
    sounds = re.compile(r"KEY$|TOKEN|SECRET|PASSW|CREDENTIAL")
    assert [name for name in names if sounds.search(name)] == []


def test_context_denies_all_first():
    """The build context is empty but for what is allowed by name."""
    assert IGNORED[0] == "*"


@pytest.mark.parametrize("pattern", ["**/.env", "**/.env.*"])
def test_env_files_stay_out(pattern):
    """No .env file is sent, at any depth: the rule comes after everything that allows something."""
    assert pattern in IGNORED
    after = IGNORED[IGNORED.index(pattern) :]
    assert [line for line in after if line.startswith("!")] == []


def test_context_allows_only_what_is_copied():
    """What .dockerignore allows is what the Dockerfile copies, or some of it, and each copied name has something."""
    lines = [line.split() for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from|.*<<)", line)]
    copied = [name for words in lines for name in words[1:-1] if not name.startswith("--")]
    allowed = [line.removeprefix("!") for line in IGNORED if line.startswith("!")]
    assert [name for name in allowed if not f"{name}/".startswith(tuple(f"{each}/" for each in copied))] == []
    assert [each for each in copied if not any(f"{name}/".startswith(f"{each}/") for name in allowed)] == []


def test_no_folder_is_allowed_whole():
    """A key, a dump or another secret that somebody puts into a folder does not get into the context."""
    assert [line for line in IGNORED if line.startswith("!") and not Path(line).suffix] == []
