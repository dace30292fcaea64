from __future__ import annotations

import pytest

from dockyard.image import keep_known
from images import file, folder, hardlink, image_of, symlink, whiteout

LAYERS = (
    [
        folder("usr/bin/"),
        symlink("bin", "usr/bin"),
        symlink("abs", "/usr/bin"),
        symlink("up", "usr/../usr/./bin/"),
        symlink("usr/bin/sh", "dash"),
        file("usr/bin/dash", b"#!", mode=0o755),
        file("usr/bin/notes", b"text"),
        symlink("out", "../../etc"),
        folder("etc/"),
        file("etc/gone", b"secret"),
        file("etc/kept", b"old"),
        symlink("loop", "loop"),
        symlink("one", "two"),
        symlink("two", "one"),
        symlink("none", "nowhere"),
        hardlink("hard", "usr/bin/dash"),
    ],
    [whiteout("etc/gone"), file("etc/kept", b"new", mode=0o600), folder("etc/", mode=0o700)],
)


@pytest.fixture(scope="module")
def image():
    """An image with links of every kind, and a file that is removed."""
    return image_of(*LAYERS, config={"Env": ["A=1", "PATH=/nowhere:/bin:/usr/bin"], "WorkingDir": "/usr"})


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/usr/bin/dash", "/usr/bin/dash"),
        ("usr//bin/./dash/", "/usr/bin/dash"),
        ("/bin/sh", "/usr/bin/dash"),
        ("/abs/sh", "/usr/bin/dash"),
        ("/up/sh", "/usr/bin/dash"),
        ("/up/../bin/sh", "/usr/bin/dash"),
        ("/bin", "/usr/bin"),
        ("/", "/"),
        ("", "/"),
        ("/etc/..", "/"),
        ("/hard", "/hard"),
        ("/out", None),
        ("/..", None),
        ("/../etc", None),
        ("/loop", None),
        ("/one", None),
        ("/one/x", None),
        ("/none", None),
        ("/nowhere", None),
        ("/etc/gone", None),
        ("/usr/bin/dash/x", None),
    ],
)
def test_resolve(image, path, leads_to):
    """A path is followed through links of its folders and its own, and circles and ways out lead nowhere."""
    found = image.resolve(path)

    assert (found.path if found else None) == leads_to


def test_read(image):
    """The bytes of kept files are read through links; what has none gives none."""
    assert image.read("/bin/sh") == image.read("/hard") == b"#!"
    assert image.read("/etc/kept") == b"new"
    assert image.read("/etc/gone") is image.read("/usr") is image.read("/out") is None


def test_children(image):
    """What is in a folder is told by name, not what is in folders below, through links too."""
    assert [entry.path for entry in image.children("/bin")] == ["/usr/bin/dash", "/usr/bin/notes", "/usr/bin/sh"]
    assert [entry.path for entry in image.children("/")][:3] == ["/abs", "/bin", "/etc"]
    assert [entry.path for entry in image.children("/usr")] == ["/usr/bin"]
    assert list(image.children("/etc/kept")) == list(image.children("/nowhere")) == []


def test_which(image):
    """A program is what PATH and its rights make of it: found through links, executable, and a file."""
    assert [entry.path for entry in image.which("sh")] == ["/usr/bin/dash", "/usr/bin/dash"]
    assert [entry.path for entry in image.which("bin/sh")] == ["/usr/bin/dash"]
    assert [entry.path for entry in image.which("/hard")] == ["/hard"]
    assert image.which("notes") == image.which("none") == image.which("/usr/bin") == ()


@pytest.mark.parametrize(
    "config",
    [
        None,
        {},
        [],
        {"Env": None},
        {"Env": [None, 1]},
        {"Env": ["PATH"], "WorkingDir": None},
        {"Env": "PATH=/x"},
        {"Env": 1},
    ],
)
def test_which_without_a_path(config):
    """Without a PATH the usual folders are searched, whatever stands in its place."""
    found = image_of([file("usr/bin/x", mode=0o755)], config=config)

    assert [entry.path for entry in found.which("x")] == ["/usr/bin/x"]


def test_removed(image):
    """What a later layer removed or overwrote is told with its bytes; a folder that is only named again is not."""
    told = {each.entry.path: (each.entry.layer, each.content) for each in image.removed()}

    assert told == {"/etc/gone": (0, b"secret"), "/etc/kept": (0, b"old")}


@pytest.mark.parametrize(
    ("path", "size", "begin", "kept"),
    [
        ("/etc/passwd", 10, b"", True),
        ("/etc/shadow", 0, b"", True),
        ("/app/etc/passwd", 10, b"", False),
        ("/usr/lib/os-release", 10, b"", True),
        ("/var/lib/dpkg/status", 900_000, b"", True),
        ("/var/lib/dpkg/status.d/base", 10, b"", True),
        ("/var/lib/dpkg/status.d/base.md5sums/x", 10, b"", False),
        ("/opt/venv/lib/python3.12/site-packages/numpy-2.1.dist-info/RECORD", 10, b"", True),
        ("/opt/venv/lib/python3.12/site-packages/numpy-2.1.dist-info/LICENSE", 10, b"", False),
        ("/opt/venv/pyvenv.cfg", 10, b"", True),
        ("/entrypoint", 100, b"#!/bin/sh\n", True),
        ("/entrypoint", 64 << 10, b"#!/bin/sh\n", False),
        ("/entrypoint", 100, b"\x7fELF", False),
        ("/app/main.py", 256 << 10, b"", True),
        ("/app/main.py", (256 << 10) + 1, b"", False),
        ("/usr/local/lib/python3.12/json/decoder.py", 10, b"", False),
        ("/usr/lib/python3/x.py", 10, b"", False),
        ("/opt/venv/lib/python3.12/site-packages/numpy/core.py", 10, b"", False),
        ("/app/main.pyc", 10, b"", False),
    ],
)
def test_keep_known(path, size, begin, kept):
    """Records of the system and of distributions, scripts and the service's sources are kept, and nothing else."""
    assert keep_known(path, size, begin) is kept


def test_default_keep():
    """That is what is kept where nothing else is asked for."""
    layer = [file("etc/passwd", b"p"), file("app/x.py", b"x"), file("etc/hosts", b"h"), file("run", b"#!/bin/sh")]
    found = image_of(layer, keep=keep_known)

    assert found.contents == {"/etc/passwd": b"p", "/app/x.py": b"x", "/run": b"#!/bin/sh"}


def test_keep_is_shown_the_beginning():
    """`keep` is told the path, the size and the first 256 bytes of every file, of long ones too."""
    seen = {}

    def keep(path, size, begin):
        seen[path] = (size, begin)
        return False

    image_of([file("a", b"abc"), file("b", bytes(range(256)) * 5000), file("e"), folder("d/")], keep=keep)

    assert seen == {"/a": (3, b"abc"), "/b": (1_280_000, bytes(range(256))), "/e": (0, b"")}


def test_in_layer(image):
    """An entry that is told its layer is otherwise the same."""
    entry = image.files["/usr/bin/dash"]

    assert entry.in_layer(entry.layer) == entry
    assert entry.in_layer(9).layer == 9
