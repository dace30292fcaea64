from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from dockyard.errors import EngineError
from dockyard.run import logs_folder
from dockyard.run.logs_folder import SCRIPT, prepare
from support import sentences

ME, MINE, OTHER = os.getuid(), os.getgid(), 54321
OWNER, GROUP, OTHERS = f"{ME}:{OTHER}", f"{OTHER}:{MINE}", f"{OTHER}:{OTHER}"


@pytest.fixture
def folder(tmp_path):
    """A logs folder, not made yet."""
    return tmp_path / "logs" / "deep"


@pytest.mark.parametrize(
    ("mode", "user", "changed"),
    [
        (0o755, OWNER, False),
        (0o300, OWNER, False),
        (0o577, OWNER, True),
        (0o675, OWNER, True),
        (0o770, GROUP, False),
        (0o2030, GROUP, False),
        (0o757, GROUP, True),
        (0o720, GROUP, True),
        (0o710, GROUP, True),
        (0o777, OTHERS, False),
        (0o1777, OTHERS, False),
        (0o770, OTHERS, True),
        (0o772, OTHERS, True),
        (0o775, OTHERS, True),
    ],
)
def test_folder_modes(folder, recorder, mode, user, changed):
    """A folder is left alone if its mode lets the container's user enter and make files: the first class that fits."""
    folder.mkdir(parents=True)
    folder.chmod(mode)
    try:
        assert prepare(folder, user=user, image="a:b", buildx=recorder.buildx) is changed
    finally:
        folder.chmod(0o700)
    assert bool(recorder.calls) is changed


@pytest.mark.parametrize(
    ("mode", "user", "changed"),
    [(0o600, OWNER, False), (0o400, OWNER, True), (0o660, GROUP, False), (0o644, GROUP, True), (0o644, OTHERS, True)],
)
def test_file_modes(folder, recorder, mode, user, changed):
    """A log file that is there already must be writable too."""
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    (folder / "service.jsonl").touch()
    (folder / "service.jsonl").chmod(mode)

    assert prepare(folder, user=user, image="a:b", buildx=recorder.buildx) is changed


def test_made(folder, recorder):
    """A folder that is not there is made, with those above it."""
    prepare(folder, user=OWNER, image="a:b", buildx=recorder.buildx)

    assert folder.is_dir()
    assert recorder.calls == []


def test_links_and_folders(folder, recorder, tmp_path):
    """What is not a file of the folder itself does not matter."""
    (folder / "old").mkdir(parents=True, mode=0o500)
    (tmp_path / "elsewhere").touch(0o400)
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "dangling").symlink_to(tmp_path / "nowhere")

    assert prepare(folder, user=OWNER, image="a:b", buildx=recorder.buildx) is False


def test_command(folder, recorder):
    """What changes the group is exactly this container: no network, no rights but three, gone when it has ended."""
    assert prepare(folder, user=f"1000:{OTHER}", image="a:b", buildx=recorder.buildx) is True

    (call,) = recorder.calls
    assert call == [
        *[
            "container",
            "run",
            "--cap-add",
            "CHOWN",
            "--cap-add",
            "FOWNER",
            "--cap-add",
            "DAC_OVERRIDE",
            "--cap-drop",
            "ALL",
        ],
        *[
            "--entrypoint",
            "python",
            "--network",
            "none",
            "--pull",
            "never",
            "--read-only",
            "--rm",
            "--security-opt",
            "no-new-privileges",
        ],
        *["--user", f"0:{OTHER}", "--volume", f"{folder}:{folder}:rw", "a:b", "-c", SCRIPT, str(folder), str(OTHER)],
    ]


def test_script(folder):
    """The script lets the group write the folder and its files, hands the group on, and keeps owner and other bits."""
    (folder / "old").mkdir(parents=True, mode=0o700)
    (folder / "service.jsonl").touch()
    (folder / "service.jsonl").chmod(0o604)
    (folder / "link").symlink_to("service.jsonl")
    folder.chmod(0o705)

    subprocess.run([sys.executable, "-c", SCRIPT, str(folder), str(MINE)], check=True)

    modes = {path.name: oct(stat.S_IMODE(path.lstat().st_mode)) for path in (folder, *folder.iterdir())}
    assert modes == {"deep": "0o2775", "service.jsonl": "0o664", "old": "0o700", "link": "0o777"}
    assert folder.stat().st_uid == ME
    assert folder.stat().st_gid == MINE


def test_script_links(folder, tmp_path):
    """A link out of the folder is not followed."""
    folder.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.touch(0o600)
    (folder / "link").symlink_to(outside)

    subprocess.run([sys.executable, "-c", SCRIPT, str(folder), str(MINE)], check=True)

    assert stat.S_IMODE(outside.stat().st_mode) == 0o600


def test_refused(folder, recorder):
    """Where the group cannot be changed the error says so, with the container's own last line and another way."""
    recorder.answer("container run", error="PermissionError: [Errno 1] Operation not permitted: '/srv/logs'\n", code=1)

    with pytest.raises(EngineError) as caught:
        prepare(folder, user=OTHERS, image="a:b", buildx=recorder.buildx)

    what, why, todo = sentences(caught.value)
    assert what == f"The logs folder {folder} cannot be written by the container, so nothing was started."
    assert why == "PermissionError: [Errno 1] Operation not permitted: '/srv/logs'"
    assert "DOCKYARD_RUN_LOGS" in todo


def test_cannot_be_made(tmp_path, recorder):
    """A folder below a file cannot be made, and the error says why."""
    (tmp_path / "file").touch()

    with pytest.raises(EngineError) as caught:
        prepare(tmp_path / "file" / "logs", user=OWNER, image="a:b", buildx=recorder.buildx)

    assert "Not a directory" in sentences(caught.value)[1]
    assert recorder.calls == []


def test_unreadable(folder, recorder, monkeypatch):
    """A folder that we may not read is judged by its own mode."""
    folder.mkdir(parents=True)
    monkeypatch.setattr(type(folder), "iterdir", lambda _: (_ for _ in ()).throw(PermissionError))

    assert prepare(folder, user=OWNER, image="a:b", buildx=recorder.buildx) is False


def test_elsewhere(folder, recorder, monkeypatch):
    """On hosts whose owners mean nothing in the container nothing is changed."""
    monkeypatch.setattr(logs_folder.sys, "platform", "darwin")

    assert prepare(folder, user=OTHERS, image="a:b", buildx=recorder.buildx) is False
    assert folder.is_dir()
    assert recorder.calls == []
