"""Builds on a real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from serving import docker

from dockyard import pipeline
from dockyard.errors import BuildError
from dockyard.explain import Outcome
from dockyard.pipeline.explained import explained

if TYPE_CHECKING:
    from dockyard.build import BuildRecord
    from dockyard.pipeline import Project


def build(project: Project) -> BuildRecord:
    return pipeline.build_image(project, progress="quiet")


def ran(record: BuildRecord) -> list[str]:
    """The steps of the Dockerfile that were not cached."""
    return [step.name for step in record.steps if step.counts and not step.cached]


def test_build_tags_labels_and_records_the_image(tiny: Project) -> None:
    """A build gives the image its two tags and its labels, and keeps a record with the image's digest."""
    record = build(tiny)
    image = tiny.engine.daemon.image(tiny.settings.reference)
    assert image is not None
    assert set(image.tags) == {tiny.settings.reference, tiny.settings.matrix_reference}
    assert image.labels["org.opencontainers.image.version"] == "1.0"
    assert image.labels["org.opencontainers.image.base.name"] == record.base
    assert image.labels["dev.dockyard.project"] == tiny.settings.image
    assert record.digest == image.id
    kept = tiny.state.read_record(tiny.state.records("builds")[-1])
    assert kept is not None
    assert kept["digest"] == record.digest
    assert [step["name"] for step in kept["steps"]] == [step.name for step in record.steps]


def test_second_build_is_all_cached_and_the_same(tiny: Project, unique: str) -> None:
    """Building again without a change runs no step and gives the same digest."""
    with (tiny.settings.root / "Dockerfile").open("a") as stream:
        stream.write(f"RUN echo {unique}\n")
    first, second = build(tiny), build(tiny)
    assert len(ran(first)) == 1
    assert ran(second) == []
    assert (second.cached, second.counted) == (4, 4)
    assert second.digest == first.digest


def test_an_edit_of_the_source_leaves_dependencies_and_config_cached(repository: Project, unique: str) -> None:
    """After an edit of the service's source only the step that copies it runs again."""

    def edited(number: int) -> list[str]:
        with (repository.settings.root / "src/house_pricing/app.py").open("a") as stream:
            stream.write(f"\n# edited by {unique}, {number}\n")
        return ran(build(repository))

    build(repository)
    # BuildKit may lose a result at any time; a step that an edit makes run would run after each of them.
    after = min(map(edited, range(2)), key=len)
    assert len(after) == 1
    assert "COPY --chmod=755 src/house_pricing" in after[0]


def test_our_own_folder_is_no_part_of_the_image(tiny: Project, unique: str) -> None:
    """A Dockerfile that copies everything gets neither records nor the key, and a second build is all cached."""
    with (tiny.settings.root / "Dockerfile").open("a") as stream:
        stream.write(f"LABEL unique={unique}\nCOPY . /whole\n")
    pipeline.keep_key(tiny)
    build(tiny)
    assert ran(build(tiny)) == []
    copied = docker("run", "--rm", "--entrypoint", "find", tiny.settings.reference, "/whole").split()
    assert "/whole/service.py" in copied
    assert [name for name in copied if ".dockyard/" in name] == []
    assert (tiny.settings.root / ".dockerignore").read_text("utf-8") == ".dockyard\n"


def test_a_base_that_the_dockerfile_names(tiny: Project, unique: str) -> None:
    """A Dockerfile without BASE_IMAGE is built on the base that was found; its steps and lines are told right."""
    file, label = tiny.settings.root / "Dockerfile", f"LABEL unique={unique}\n"
    text = file.read_text("utf-8").replace(
        "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}", f"FROM {tiny.wanted.reference('3.12')}"
    )
    assert "BASE_IMAGE" not in text
    file.write_text(text + label, "utf-8")
    first, second = build(tiny), build(tiny)
    assert first.base == second.base
    assert [each.outcome for each in explained(tiny, second).steps] == [Outcome.CACHED] * second.counted
    twice = "RUN test ! -f /tmp/made && touch /tmp/made\n"
    file.write_text(text + label + 2 * twice, "utf-8")
    with pytest.raises(BuildError, match=f"failed at line {len((text + label).splitlines()) + 2} of"):
        build(tiny)


def test_a_failing_step_is_shown_with_its_lines(tiny: Project, unique: str) -> None:
    """A step that fails gives exit code 4, its command, its lines, what it printed and its end; nothing is tagged."""
    dockerfile = tiny.settings.root / "Dockerfile"
    line = len(dockerfile.read_text().splitlines()) + 1
    with dockerfile.open("a") as stream:
        stream.write(f"RUN echo {unique} && printf '10%%\\r\\033[32m20%%\\r\\n' && \\\n    cat /no/such/file 2>&1\n")
    with pytest.raises(BuildError) as caught:
        build(tiny)
    assert caught.value.exit_code == 4
    assert caught.value.what.startswith(f"The build failed at line {line} of Dockerfile")
    assert "cat /no/such/file" in caught.value.what
    why = caught.value.why.splitlines()
    assert [each.split()[1] for each in why if each.startswith(">")] == [str(line), str(line + 1)]
    assert why[-4:] == [f"  {unique}", "  20%", *why[-2:]]
    assert "No such file" in why[-2]
    assert why[-1] == "It ended with exit code 1."
    assert tiny.engine.daemon.image(tiny.settings.reference) is None


def test_a_failing_heredoc_is_shown_with_its_text(tiny: Project, unique: str) -> None:
    """Of a heredoc that fails, in a stage beside one that is cancelled for it, every line is marked."""
    dockerfile = tiny.settings.root / "Dockerfile"
    text = dockerfile.read_text().replace("FROM ", "FROM ${BASE_IMAGE} AS slow\nRUN sleep 60\nFROM ", 1)
    dockerfile.write_text(f"{text}RUN <<'EOT'\necho {unique}\nno-such-command\nEOT\nCOPY --from=slow /etc/passwd /\n")
    with pytest.raises(BuildError) as caught:
        build(tiny)
    why = caught.value.why.splitlines()
    assert "sleep" not in caught.value.what
    assert [each.partition("| ")[2] for each in why if each.startswith(">")] == [
        *("RUN <<'EOT'", f"echo {unique}", "no-such-command", "EOT")
    ]
    assert why[-1] == "It ended with exit code 127: a command was not found."


def test_a_missing_file_is_named(tiny: Project) -> None:
    """A COPY of a file that .dockerignore keeps out names the file and the pattern; of one that is not there, it."""
    dockerfile = tiny.settings.root / "Dockerfile"
    before = dockerfile.read_text()
    (tiny.settings.root / ".dockerignore").write_text("kept*\n")
    (tiny.settings.root / "kept.txt").touch()
    dockerfile.write_text(f"{before}COPY kept.txt /\n")
    with pytest.raises(BuildError, match=r"COPY kept\.txt /") as caught:
        build(tiny)
    assert caught.value.why.splitlines()[-1] == "kept.txt is kept out of the build: .dockerignore:1 (kept*)."
    dockerfile.write_text(f"{before}COPY gone.txt /\n")
    with pytest.raises(BuildError, match=r"COPY gone\.txt /") as caught:
        build(tiny)
    assert caught.value.why.splitlines()[-1] == "There is no gone.txt in the build context."


def test_a_dockerfile_that_cannot_be_parsed_is_shown_where_it_is_wrong(tiny: Project) -> None:
    """A syntax error gives exit code 4 and BuildKit's own words about the instruction."""
    with (tiny.settings.root / "Dockerfile").open("a") as stream:
        stream.write("FETCH something\n")
    with pytest.raises(BuildError, match="cannot be built") as caught:
        build(tiny)
    assert "FETCH" in caught.value.why


def test_a_missing_dockerfile_is_said(tiny: Project) -> None:
    """Without a Dockerfile the build ends with exit code 4 and its name."""
    (tiny.settings.root / "Dockerfile").unlink()
    with pytest.raises(BuildError) as caught:
        build(tiny)
    assert "Dockerfile" in str(caught.value)


def test_ctrl_c_stops_the_build(tiny: Project) -> None:
    """SIGINT ends `invoke build` with 130 and three lines, stops BuildKit's step, and tags nothing."""
    root = tiny.settings.root
    with (root / "Dockerfile").open("a") as stream:
        stream.write("RUN echo now-sleeping && sleep 120\n")
    (root / "tasks.py").write_text("from dockyard.tasks import namespace\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "invoke", "build", "--progress", "plain"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "COPY service.py" in line:
            break
    time_limit = time.monotonic() + 30
    while not _sleeping() and time.monotonic() < time_limit:
        time.sleep(0.05)
    assert _sleeping(), seen
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130, rest
    assert "The build was stopped." in rest
    assert "Traceback" not in rest
    while _sleeping() and time.monotonic() < time_limit:
        time.sleep(0.05)
    assert not _sleeping()
    assert tiny.engine.daemon.image(tiny.settings.reference) is None


def _sleeping() -> bool:
    """Whether the step above runs somewhere on this machine."""
    found = subprocess.run(["pgrep", "-x", "-f", "sleep 120"], stdout=subprocess.DEVNULL, check=False)
    return found.returncode == 0
