from __future__ import annotations

import json
import secrets
import stat
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from dockyard.errors import EngineError
from dockyard.image import read
from dockyard.machine.names import reference_of
from support import BASE, PROJECT_LABEL

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = """
FROM {base}
LABEL {label}={name}
RUN mkdir -p /made/sub && echo deleted > /made/deleted && echo secret > /made/replaced && echo in > /made/sub/in \
 && ln -s sub/in /made/link && ln /made/sub/in /made/hard && mkfifo /made/pipe && chown -R 12:34 /made/sub \
 && printf 'ümlaut' > /made/ümlaut && mkdir /made/turned && echo x > /made/turned/x
ENV MADE=1
RUN rm /made/deleted && echo new > /made/replaced && chmod 4755 /made/replaced && rm -r /made/sub && mkdir /made/sub \
 && echo other > /made/sub/other && rm -r /made/turned && echo file > /made/turned && chmod 1777 /made
"""
# What a container has that no image has: the engine puts it there.
MOUNTED = ("/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/mtab", "/etc/resolv.conf", "/.dockerenv")
LOOK = """
import hashlib, json, os
found = {}
for top, folders, names in os.walk("/"):
    if top == "/":
        folders[:] = [each for each in folders if each not in ("proc", "sys", "dev")]
    for path in [os.path.join(top, each) for each in folders + names] + ["/"] * (top == "/"):
        facts = os.lstat(path)
        link = os.readlink(path) if os.path.islink(path) else ""
        data = open(path, "rb").read() if os.path.isfile(path) and not link else None
        digest = hashlib.sha256(data).hexdigest() if data is not None else ""
        found[path] = [facts.st_mode, facts.st_uid, facts.st_gid, facts.st_size, int(facts.st_mtime), link, digest]
print(json.dumps(found))
"""
KINDS = {"file": stat.S_IFREG, "hardlink": stat.S_IFREG, "directory": stat.S_IFDIR, "symlink": stat.S_IFLNK}


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True, timeout=300).stdout


@pytest.fixture(scope="module")
def looked(engine, tmp_path_factory):
    """A tiny image's name, and what a container of it sees."""
    folder: Path = tmp_path_factory.mktemp("image")
    name = f"dockyard-test-{secrets.token_hex(4)}"
    base = BASE if engine.daemon.image(BASE) else reference_of(BASE)
    (folder / "Dockerfile").write_text(DOCKERFILE.format(base=base, label=PROJECT_LABEL, name=name), "utf-8")
    docker("buildx", "build", "--load", "--quiet", "--provenance=false", "--tag", name, str(folder))
    try:
        told = docker("run", "--rm", "--network", "none", "--user", "0", "--label", f"{PROJECT_LABEL}={name}",
                      "--entrypoint", "python3", name, "-IBc", LOOK)  # fmt: skip
        yield name, json.loads(told)
    finally:
        docker("image", "rm", "--force", name)


@pytest.fixture(scope="module")
def image(looked, engine):
    """The same image, read."""
    return read(engine.daemon.save(looked[0]), keep=lambda path, *_: path.startswith("/made/"))


def is_mounted(path: str) -> bool:
    return path.startswith(MOUNTED)


def test_as_the_container_sees_it(looked, image):
    """Every file of the image is there with the kind, rights, owner, size, time and bytes that a container sees."""
    seen = {path: told for path, told in looked[1].items() if not is_mounted(path)}
    assert {path for path in image.files if not is_mounted(path)} == set(seen)
    for path, (mode, uid, gid, size, mtime, link, digest) in seen.items():
        entry = image.files[path]
        assert stat.S_IFMT(mode) == KINDS.get(entry.kind, stat.S_IFIFO), path
        assert (entry.uid, entry.gid, entry.sha256) == (uid, gid, digest), path
        if entry.kind == "symlink":
            assert entry.target == link
        else:
            assert entry.mode == stat.S_IMODE(mode), path
        if entry.is_file:
            assert (entry.size, entry.mtime) == (size, mtime), path
    assert image.problems == ()


def test_layers(looked, image, engine):
    """The layers, their history and the digests are those that the engine tells."""
    told = json.loads(docker("image", "inspect", looked[0]))[0]

    assert [layer.diff_id for layer in image.layers] == told["RootFS"]["Layers"]
    assert told["Id"] in {image.id, image.digest}
    assert image.config["config"]["Env"] == told["Config"]["Env"]
    last = image.history[image.layers[-1].history]
    assert "rm /made/deleted" in last.created_by
    assert any(step.empty and "MADE=1" in step.created_by for step in image.history)


def test_deleted_bytes(image):
    """What a later layer deleted or replaced is found with its bytes."""
    told = {each.entry.path: each.content for each in image.removed() if each.entry.path.startswith("/made/")}

    assert told["/made/deleted"] == b"deleted\n"
    assert told["/made/replaced"] == b"secret\n"
    assert told["/made/turned/x"] == b"x\n"
    assert image.read("/made/replaced") == b"new\n"
    assert image.read("/made/link") is None
    assert image.read("/made/hard") == b"in\n"


def test_no_such_image(engine):
    """An image that the engine has not is told as the engine tells it, and no thread is left behind."""
    before = threading.active_count()
    with pytest.raises(EngineError, match="No such image"):
        read(engine.daemon.save("dockyard-test-no-such-image:1"))

    assert threading.active_count() <= before
