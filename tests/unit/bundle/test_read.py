"""A bundle is taken whole or not at all: whatever was done to it, the bad member is named."""

from __future__ import annotations

import tarfile

import pytest

from dockyard import bundle
from dockyard.errors import EngineError, SettingsError
from support import sentences

from . import made
from .made import ALPHA, BETA, FILES

MEMBERS = ["manifest.json", "manifest.json.sha256", *FILES]


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "bundle.tar"
    made.write(path)
    return path


def refusal(path, **given) -> tuple[str, str]:
    """The member that is refused, and why."""
    with pytest.raises(EngineError) as caught:
        bundle.verify(path, **given)
    what, why, todo = sentences(caught.value)
    assert "invoke bundle" in todo
    return what.removeprefix("The bundle is refused: ").removesuffix(".").removesuffix("/"), why


def test_whole(archive, tmp_path):
    """What was packed is read as it was, and unpacked where it is wanted alone."""
    verified = bundle.verify(archive, lambda member: tmp_path / "out" / member.name if member.kind == "wheel" else None)
    assert {member.name for member in verified.manifest.members} == set(FILES)
    there = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert there == {name.removeprefix("wheels/"): content for name, content in made.WHEELS.items()}


def test_nothing_there(tmp_path):
    """A bundle that is not there is a wrong argument."""
    with pytest.raises(SettingsError, match="There is no bundle"):
        bundle.verify(tmp_path / "none.tar")


@pytest.mark.parametrize("name", FILES)
def test_flipped_byte(archive, name):
    """One other byte anywhere in a member refuses it by name."""
    content = FILES[name]
    packed = archive.read_bytes()
    at = packed.index(content, packed.index(b"ustar", packed.index(b"manifest.json.sha256")))
    archive.write_bytes(packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :])
    assert refusal(archive)[0] == name


@pytest.mark.parametrize("word", [b'"commit": "c', b'"digest": "sha256:r', b'"official": t', b"{"])
def test_flipped_byte_of_the_manifest(archive, word):
    """One other byte of the manifest refuses it, also where it would still be one."""
    packed = archive.read_bytes()
    at = packed.index(word) + len(word) - 1
    archive.write_bytes(packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :])
    assert refusal(archive)[0] == "manifest.json"


def test_truncated_anywhere(archive):
    """Wherever a bundle ends too early, it is refused, and the member that is cut is named."""
    packed = archive.read_bytes()
    with tarfile.open(archive) as opened:
        starts = {each.name: each.offset_data for each in opened}
    for name, start in starts.items():
        archive.write_bytes(packed[: start + 1])
        assert refusal(archive)[0] == name
    end = packed.rindex(FILES["sbom/wheels.cdx.json"])
    for size in (end + 100, end - end % 512 + 512, end - end % 512 + 700, len(packed) - 512, len(packed) - 1):
        archive.write_bytes(packed[:size])
        assert refusal(archive)[1] == "It is cut off in the middle."


@pytest.mark.parametrize("name", MEMBERS)
def test_missing_member(archive, name):
    """A member that was taken out is named."""
    made.spoil(archive, lambda members: [each for each in members if each[0].name != name])
    assert refusal(archive)[0] == name


def test_extra_member(archive):
    """A file that the manifest does not name is refused, wherever it stands."""
    for at in (2, 5, len(MEMBERS)):
        made.write(archive)
        made.spoil(archive, lambda members, at=at: members.insert(at, (made.entry("wheels/evil.whl"), b"evil")))
        assert refusal(archive) == ("wheels/evil.whl", "The manifest does not name it.")


@pytest.mark.parametrize("first", [True, False])
def test_twice(archive, first):
    """A second file of one name is refused: who unpacks it by hand would get the last one."""

    def again(members):
        members.insert(made.named(members, ALPHA) + 1 if first else len(members), (made.entry(ALPHA), b"evil"))

    made.spoil(archive, again)
    assert refusal(archive) == (ALPHA, "It is there twice.")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (tarfile.SYMTYPE, "It is a symbolic link, and a bundle has files alone."),
        (tarfile.LNKTYPE, "It is a hard link, and a bundle has files alone."),
        (tarfile.DIRTYPE, "It is a folder, and a bundle has files alone."),
        (tarfile.FIFOTYPE, "It is no file, and a bundle has files alone."),
        (tarfile.CHRTYPE, "It is a device, and a bundle has files alone."),
    ],
)
def test_no_file(archive, kind, told):
    """What is no file is refused, in the place of a member and beside them."""

    def replaced(members):
        members[made.named(members, BETA)] = (made.entry(BETA, kind, "/etc/passwd"), b"")

    made.spoil(archive, replaced)
    assert refusal(archive) == (BETA, told)
    made.write(archive)
    made.spoil(archive, lambda members: members.append((made.entry("link", kind, "/etc/passwd"), b"")))
    assert refusal(archive) == ("link", told)


@pytest.mark.parametrize(
    "name", ["../evil", "wheels/../../evil", "/etc/evil", "wheels//evil", "wheels/.evil", "wheels/a\nb", "evil.whl"]
)
def test_names_that_lead_out(archive, tmp_path, name):
    """A name that leads out of the folder is refused by itself, even if the manifest vouches for it."""
    made.spoil(archive, lambda members: members.append((made.entry(name), b"evil")))
    assert refusal(archive)[1] == "The manifest does not name it."
    made.write(archive)

    def vouched(document):
        evil = {"name": name, "kind": "wheel", "size": 4, "sha256": made.digest(b"evil")}
        document["members"].append(evil)

    made.spoil(archive, lambda members: [*made.resealed(members, vouched), (made.entry(name), b"evil")])
    refused, why = refusal(archive, into=lambda member: tmp_path / "out" / member.name)
    assert refused == name.replace("\n", "0a")
    assert why == "No member of a bundle may be called so."
    assert not (tmp_path / "out").exists()


def test_more_behind_the_end(archive):
    """What is put behind the end mark is refused: it would be unseen by most readers."""
    with archive.open("ab") as file:
        file.write(bytes(512) + b"evil")
    assert refusal(archive)[1] == "More follows the end of the archive."


def test_another_size(archive):
    """A member that is longer than the manifest says is refused before it is read."""

    def longer(document):
        document["members"][2]["size"] -= 1

    made.spoil(archive, lambda members: made.resealed(members, longer))
    assert refusal(archive) == (ALPHA, "It has 5000 bytes, the manifest says 4999.")


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, bytes(4096)])
def test_no_bundle(tmp_path, content):
    """What is no bundle at all is refused for want of its first member."""
    path = tmp_path / "bundle.tar"
    path.write_bytes(content)
    assert refusal(path)[0] == "manifest.json"
