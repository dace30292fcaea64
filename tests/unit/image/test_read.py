from __future__ import annotations

import gzip
import io
import json
import tarfile
import threading
import time

import pytest

from dockyard.errors import EngineError, SettingsError
from dockyard.image import read
from images import (
    Member,
    Saved,
    archive,
    blob_name,
    descriptor,
    digest,
    encoded,
    file,
    folder,
    image_of,
    index,
    manifest,
    saved,
    streamed,
    symlink,
    tar,
    whiteout,
)
from support import sentences

LOWER = tar(folder("etc/"), file("etc/passwd", b"root:x:0:0::/root:/bin/sh\n"), file("app/main.py", b"print()\n"))
UPPER = tar(file("app/main.py", b"print(1)\n", mode=0o755, uid=1000, gid=1001), whiteout("etc/passwd"))
HISTORY = [
    {"created": "2026-01-01T00:00:00Z", "created_by": "ADD rootfs", "comment": "base"},
    {"created_by": "ENV A=1", "empty_layer": True},
    {"created_by": "COPY main.py /app/"},
]
STATEMENT = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v0.2"}
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def image(**changed) -> Saved:
    """Return an image of two layers."""
    return Saved(**({"layers": [LOWER, UPPER], "history": HISTORY, "config": {"User": "1000"}} | changed))


def read_files(files: dict[str, bytes], **asked):
    """Read an archive of files."""
    return read(streamed(archive(files)), **asked)


def refused(data: bytes, **asked) -> tuple[str, str, str]:
    """Return the three sentences of the machine's error."""
    with pytest.raises(EngineError) as caught:
        read(streamed(data), **asked)
    return sentences(caught.value)


LAYOUTS = {
    "docker 25, gzip": lambda: archive(image().oci()),
    "docker 25, not compressed": lambda: archive(image(compression="none").oci()),
    "zstd": lambda: archive(image(compression="zstd").oci()),
    "OCI alone": lambda: archive(image().oci(older=False)),
    "docker 24": lambda: tar(*image().classic()),
    "index first": lambda: archive(dict(reversed(image().oci().items()))),
    "GNU tar": lambda: tar(*(file(f"./{name}", data) for name, data in image().oci().items()), form=tarfile.GNU_FORMAT),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [1 << 20, 700])
def test_layouts(layout, size):
    """Whatever the layout, the compression and the pieces in which it comes, it is the same image."""
    found = read(streamed(LAYOUTS[layout](), size))

    assert found.problems == ()
    assert found.reference.removeprefix("docker.io/library/") == "tiny:1"
    assert found.id == digest(image().configuration())
    assert found.config["config"] == {"User": "1000"}
    assert [layer.diff_id for layer in found.layers] == [digest(LOWER), digest(UPPER)]
    assert [layer.size for layer in found.layers] == [len(LOWER), len(UPPER)]
    assert [layer.history for layer in found.layers] == [0, 2]
    assert [(step.layer, step.empty) for step in found.history] == [(0, False), (None, True), (1, False)]
    assert found.history[0].comment == "base"
    assert found.layers[1].whiteouts == {"/etc/passwd"}
    assert list(found.files) == ["/", "/app", "/app/main.py", "/etc"]
    entry = found.files["/app/main.py"]
    assert (entry.mode, entry.uid, entry.gid, entry.size, entry.layer) == (0o755, 1000, 1001, 9, 1)
    assert entry.sha256 == digest(b"print(1)\n").removeprefix("sha256:")
    assert found.contents == {"/app/main.py": b"print(1)\n"}
    assert found.kept[0, "/app/main.py"] == b"print()\n"
    assert found.kept[0, "/etc/passwd"].startswith(b"root:")


def test_digests():
    """The manifest's digest and those of the blobs are known where the archive has them."""
    found = read_files(image().oci())

    assert found.digest == digest(image().manifest())
    assert [layer.digest for layer in found.layers] == [digest(each) for each in image().blobs()]
    assert [layer.compressed for layer in found.layers] == [len(each) for each in image().blobs()]
    assert read(streamed(tar(*image().classic()))).digest == ""


def test_from_a_file(tmp_path):
    """A path is read as the stream is."""
    path = tmp_path / "image.tar"
    path.write_bytes(archive(image().oci()))

    assert read(path) == read_files(image().oci())
    with pytest.raises(EngineError, match="No such file"):
        read(tmp_path / "none.tar")


def test_equal_layers():
    """Layers of the same bytes are sent once, and are layers of their own."""
    for data in (
        archive(image(layers=[LOWER, UPPER, LOWER]).oci()),
        tar(*image(layers=[LOWER, UPPER, LOWER]).classic()),
    ):
        found = read(streamed(data))
        assert [layer.entries["/app/main.py"].layer for layer in found.layers] == [0, 1, 2]
        assert found.files["/etc/passwd"].layer == 2


def test_every_kind_of_entry():
    """Devices, pipes, links, capabilities, rights, long names and times are read as they are written."""
    long = "/".join(["long" * 20] * 5)
    capability = bytes([1, 0, 0, 2, 0, 4, 0, 0, 10]) + bytes(10) + b"\n"
    found = image_of(
        [
            Member(name="dev/null", type=tarfile.CHRTYPE, device=(1, 3), mode=0o666),
            Member(name="dev/sda", type=tarfile.BLKTYPE, device=(8, 0)),
            Member(name="pipe", type=tarfile.FIFOTYPE),
            symlink("link", "../../elsewhere"),
            file("ping", b"ELF", mode=0o4755, pax={"SCHILY.xattr.security.capability": capability.decode("latin-1")}),
            file(long, b"1", uid=4_000_000_000, mtime=1),
            file("ÄÖÜ", b"2"),
            folder("tmp/", mode=0o1777),
        ]
    ).files

    assert {found[path].kind for path in ("/dev/null", "/dev/sda")} == {"device"}
    assert found["/pipe"].kind == "fifo"
    assert (found["/link"].kind, found["/link"].target) == ("symlink", "../../elsewhere")
    assert found["/ping"].capability.decode("utf-8") == capability.decode("latin-1")
    assert found["/ping"].mode == 0o4755
    assert (found[f"/{long}"].uid, found[f"/{long}"].mtime) == (4_000_000_000, 1)
    assert found["/ÄÖÜ"].size == 1
    assert found["/tmp"].mode == 0o1777
    assert found["/pipe"].sha256 == found["/link"].sha256 == found["/tmp"].sha256 == ""


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_forms(form):
    """All forms of tar are read, with names as long as each can have."""
    name = "/".join(["n" * 45] * (5 if form == tarfile.USTAR_FORMAT else 20))
    target = "t" * (90 if form == tarfile.USTAR_FORMAT else 900)
    layer = tar(file(name, b"text"), symlink("l", target), form=form)
    found = read_files(image(layers=[layer]).oci())

    assert found.files[f"/{name}"].size == 4
    assert found.files["/l"].target == target


def test_several_images():
    """Of several images the one that is asked for is read; without a name they are listed."""
    one, two = image(), image(layers=[UPPER], reference="other:2")
    lists = [json.loads(each.oci()["manifest.json"])[0] for each in (one, two)]
    files = {**one.oci(), **two.oci(), "index.json": index([]), "manifest.json": encoded(lists)}

    for reference in ("other:2", "docker.io/library/other:2", digest(two.configuration())):
        assert len(read_files(files, reference=reference).layers) == 1
    assert len(read_files(files, reference="tiny:1").layers) == 2
    for reference in ("", "tiny:2", "tiny"):
        with pytest.raises(SettingsError) as caught:
            read_files(files, reference=reference)
        assert "tiny:1, other:2" in sentences(caught.value)[1]


def test_two_names_of_one_image():
    """One image of two names needs none."""
    listed = json.loads(image().oci()["manifest.json"])
    both = encoded([{**listed[0], "RepoTags": ["a:1"]}, {**listed[0], "RepoTags": ["b:1"]}])

    assert read_files({**image().oci(), "manifest.json": both}).reference == "a:1"


def platforms(*built: Saved) -> tuple[dict[str, bytes], bytes]:
    """Return the blobs of images, and an index of their manifests."""
    blobs = {name: data for each in built for name, data in each.oci().items() if name.startswith("blobs")}
    return blobs, index([{**descriptor(each.manifest(), MANIFEST)} for each in built])


def test_platforms():
    """Of an index of platforms the one that manifest.json names is read, else the first that the archive has."""
    arm, amd = image(architecture="arm64"), image(architecture="amd64")
    blobs, nested = platforms(arm, amd)
    absent = {"mediaType": MANIFEST, "digest": digest(b"absent"), "size": 6}
    top = index([absent, {**descriptor(nested, INDEX), "annotations": {"io.containerd.image.name": "both:1"}}])
    files = {**blobs, blob_name(nested): nested, "index.json": top}

    assert read_files(files).config["architecture"] == "arm64"
    assert read_files(files).digest == digest(arm.manifest())
    assert read_files(files).reference == "both:1"
    named = read_files({**files, "manifest.json": amd.oci()["manifest.json"]})
    assert named.config["architecture"] == "amd64"
    assert named.digest == digest(amd.manifest())


@pytest.mark.parametrize("older", [True, False])
def test_attestations(older):
    """The statements of an image's attestation are read; its manifest is never taken for an image."""
    files = image(statements=[STATEMENT]).oci(older=older)
    assert read_files(files).attestations == (STATEMENT,)

    turned = json.loads(files["index.json"])
    turned["manifests"].reverse()
    assert read_files({**files, "index.json": encoded(turned)}).attestations == (STATEMENT,)


def test_attestation_of_another():
    """A statement about another image is not this one's; one that is missing is a problem."""
    files = image(statements=[STATEMENT]).oci()
    other = json.loads(files["index.json"])
    other["manifests"][1]["annotations"]["vnd.docker.reference.digest"] = digest(b"other")
    found = read_files({**files, "index.json": encoded(other)})
    assert found.digest == digest(image().manifest())
    assert found.attestations == ()

    del files[blob_name(encoded(STATEMENT))]
    found = read_files(files)
    assert found.attestations == ()
    assert "attestation cannot be read" in found.problems[0]


@pytest.mark.parametrize("gone", ["config", "layer"])
def test_missing_blob(gone):
    """A blob that is not there is named."""
    name = blob_name(image().configuration() if gone == "config" else image().blobs()[1])
    files = {each: data for each, data in image().oci().items() if each != name}
    what, why, _ = refused(archive(files))

    assert name in what
    assert "lacks it" in why


@pytest.mark.parametrize("number", [0, 1])
def test_other_bytes(number):
    """A blob of other bytes than its name says is named, although they are a layer."""
    name = blob_name(image().blobs()[number])
    what, why, _ = refused(archive({**image().oci(), name: gzip.compress(tar(file("evil")))}))

    assert name in what
    assert "digest" in why


@pytest.mark.parametrize("layout", ["classic", "oci"])
def test_other_layer(layout):
    """A layer that the configuration does not know is refused, however well it is named."""
    one = image()
    if layout == "classic":
        members = [file(each.name, UPPER) if each.data == LOWER else each for each in one.classic()]
        what, why, _ = refused(tar(*members))
        assert "layer.tar" in what
    else:
        listed = json.loads(one.oci()["manifest.json"])
        listed[0]["Layers"].reverse()
        what, why, _ = refused(archive({**one.oci(), "manifest.json": encoded(listed)}))
    assert "The configuration wants the layer" in why


def test_other_configuration():
    """A configuration of other bytes than its name says is refused in the older layout too."""
    members = [
        file(each.name, image(config={"User": "0"}).configuration()) if each.data == image().configuration() else each
        for each in image().classic()
    ]
    what, why, _ = refused(tar(*members))

    assert ".json" in what
    assert "digest" in why


def test_too_few_layers():
    """An image whose manifest has not the layers that its configuration wants is refused."""
    listed = json.loads(image().oci()["manifest.json"])
    listed[0]["Layers"].pop()
    _, why, _ = refused(archive({**image().oci(), "manifest.json": encoded(listed)}))

    assert why.startswith("It wants 2 layers, the manifest has 1")


def test_cut_anywhere():
    """An archive that is cut off anywhere before its end mark is refused, and never half read."""
    data = archive(image().oci())
    end = len(data.rstrip(b"\0")) // 512 * 512 + 512
    for at in [*range(0, end, 101), *range(512, end + 1, 512)]:
        refused(data[:at])
    assert read(streamed(data[: end + 1024]))


def test_cut_layer_is_named():
    """The blob in which the archive is cut off is named."""
    data = archive(image().oci())
    name = blob_name(image().blobs()[0])
    what, why, _ = refused(data[: data.index(name.encode()) + 600])

    assert name in what
    assert "cut off" in why


def test_broken_blob_of_no_layer():
    """A broken blob that the image is not made of is a problem, and no error."""
    found = read_files({**image().oci(), blob_name(b"other"): b"another", "stray": gzip.compress(LOWER)[:-9]})

    assert len(found.problems) == 2
    assert all("is not made of it" in problem for problem in found.problems)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (lambda data: data[:-30], "cut off"),
        (lambda data: data[:60] + b"garbage" * 9 + data[123:], "broken"),
        (lambda data: data + b"garbage", "cut off|broken"),
        (lambda data: gzip.compress(LOWER[:700]), "cut off"),
        (lambda data: gzip.compress(b"x" * 600 + LOWER), "no.* of a tar"),
        (lambda data: b"neither", "It is no tar"),
        (lambda data: b"", "It is no tar"),
    ],
)
def test_broken_layer(broken, why):
    """A layer that is cut off, garbage in the middle, or no tar at all is named with the reason."""
    blob = broken(gzip.compress(LOWER))
    one = image(layers=[LOWER])
    config = one.configuration()
    files = {blob_name(blob): blob, blob_name(config): config}
    files["manifest.json"] = encoded([{"Config": blob_name(config), "RepoTags": [], "Layers": [blob_name(blob)]}])
    with pytest.raises(EngineError, match=why) as caught:
        read_files(files)

    assert blob_name(blob) in caught.value.what


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_pieces_of_compression(compression):
    """A layer of several gzip members or zstd frames, as lazily loaded images have, is one layer."""
    pack = Saved(layers=[LOWER], compression=compression).blobs
    whole = b"".join(
        Saved(layers=[LOWER[at : at + 700]], compression=compression).blobs()[0] for at in range(0, len(LOWER), 700)
    )
    whole += bytes(20) if compression == "gzip" else b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    assert whole != pack()[0]
    config = image(layers=[LOWER]).configuration()
    files = {blob_name(whole): whole, blob_name(config): config}
    files["manifest.json"] = encoded([{"Config": blob_name(config), "RepoTags": [], "Layers": [blob_name(whole)]}])

    assert "/etc/passwd" in read_files(files).files


@pytest.mark.parametrize(
    "data", [b"", bytes(10240), b"no tar" * 1000, archive({"other": b"file"}), archive({"index.json": b"{}"})]
)
def test_no_image(data):
    """What is no archive, or one of no image, is told."""
    what, _, _ = refused(data)

    assert what == "The saved image cannot be read: the archive."


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[" * 100_000,
        b'{"a": 1e999999}' * 2,
        b"[" + b"1," * 600_000 + b"1]",
        b"\xff\xfe",
        b"{}" + b" " * (17 << 20),
    ],
    ids=["cut", "deep", "two", "many", "no text", "large"],
)
@pytest.mark.parametrize("name", ["manifest.json", "index.json"])
def test_broken_json(name, data):
    """JSON that is cut, too deep, too large or none is named."""
    what, _, _ = refused(archive({**image().oci(), name: data}))

    assert name in what


@pytest.mark.parametrize("value", [None, 1, "text", [], [None], {}, {"a": None}, [[]], [{}], {"manifests": [None, 1]}])
def test_odd_json(value):
    """JSON of any other form than it should have gives an error, and no crash."""
    data = encoded(value)
    for name in ("manifest.json", "index.json"):
        refused(archive({**image().oci(older=False), name: data} if name == "index.json" else {name: data}))
    listed = {"Config": value, "RepoTags": value, "Layers": value}
    refused(archive({**image().oci(), "manifest.json": encoded([listed])}))
    config = {"config": value, "rootfs": value, "history": value}
    files = image().oci() | {blob_name(encoded(config)): encoded(config)}
    refused(
        archive(
            {
                **files,
                "manifest.json": encoded(
                    [{"Config": blob_name(encoded(config)), "Layers": [blob_name(image().blobs()[0])]}]
                ),
            }
        )
    )


def test_two_manifests():
    """Two files of one name that decide what the image is are refused: engines differ on which counts."""
    members = [file(name, data) for name, data in image().oci().items()]
    what, why, _ = refused(tar(*members, file("manifest.json", image().oci()["manifest.json"])))

    assert "manifest.json" in what
    assert "two of this name" in why


def test_names_of_the_archive():
    """Members of the archive that lead out of it are refused, and told."""
    members = [file(name, data) for name, data in image().oci().items()]
    found = read(streamed(tar(file("../../index.json", b"{"), symlink("a", "../../b"), *members)))

    assert len(found.layers) == 2
    assert len(found.problems) == 2


def test_threads_end():
    """Nothing that was started runs on after the end, whether good or bad, and the source is closed."""
    before = threading.active_count()
    closed = []

    def source(data):
        try:
            yield from streamed(data, 512)
        finally:
            closed.append(True)

    read(source(archive(image().oci())))
    for data in (archive(image().oci())[:3000], b"x" * 5_000_000):
        with pytest.raises(EngineError):
            read(source(data))
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        threading.Event().wait(0.01)

    assert threading.active_count() == before
    assert len(closed) == 3


def test_error_of_the_source():
    """What the engine's stream raises half-way reaches the caller as it is."""
    error = EngineError("a", "b", "c")

    def source():
        yield archive(image().oci())[:2000]
        raise error

    with pytest.raises(EngineError) as caught:
        read(source())
    assert caught.value is error


def test_saved_by_docker_is_a_tar():
    """The builder's archives are what `tar` reads: the tests above do not prove a reader by its own mirror."""
    with tarfile.open(fileobj=io.BytesIO(saved([file("a", b"text")]))) as found:
        assert "manifest.json" in found.getnames()
    assert manifest(b"{}", [], "x").startswith(b"{")
