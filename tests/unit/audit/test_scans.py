from __future__ import annotations

import json
from datetime import date

import pytest

from dockyard.audit.scans import Finding, read_scan
from dockyard.errors import SettingsError
from support import DATA, recorded, sentences

MANIFEST = f"sha256:{'a1' * 32}"
CONFIG = f"sha256:{'c2' * 32}"
TOOLS = ("trivy", "trivy-version", "grype", "hadolint", "cosign")


def scan(name):
    return read_scan(DATA / "audit" / f"{name}.json")


@pytest.fixture
def written(tmp_path):
    """A file with this content, or with this value as JSON."""

    def write(content):
        path = tmp_path / "scan.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return write


def test_trivy():
    """Trivy's report says what it looked at and when, and what it found with fix and age; not how old its base is."""
    told = scan("trivy")
    assert (told.tool, told.subject, told.created, told.database) == ("trivy", "shop:prod", date(2026, 11, 20), None)
    assert told.digests == {MANIFEST, CONFIG}
    assert told.findings[0] == Finding(
        id="CVE-2026-11111",
        severity="high",
        title="openssl: read past the end of a buffer",
        package="libssl3",
        installed="3.0.17-1~deb12u2",
        fixed="3.0.18-1~deb12u1",
        known=date(2026, 11, 1),
    )
    assert [(each.id, each.severity, each.fixed) for each in told.findings[1:]] == [
        ("CVE-2011-3374", "low", ""),
        ("CVE-2026-22222", "critical", "0.16.0"),
    ]
    assert told.findings[2].file.endswith("h11-0.15.0.dist-info/METADATA")


def test_trivy_database():
    """The answer of `trivy version` dates the database."""
    told = scan("trivy-version")
    assert (told.tool, told.database, told.findings) == ("trivy-database", date(2026, 11, 20), ())


def test_grype():
    """Grype's report dates its database, and its fixes; what is not fixed has no fixed version."""
    told = scan("grype")
    assert (told.tool, told.subject, told.database) == ("grype", "shop:prod", date(2026, 11, 19))
    assert told.digests == {MANIFEST, CONFIG}
    assert [(each.severity, each.package, each.fixed, each.known, each.file) for each in told.findings] == [
        ("high", "libssl3", "3.0.18-1~deb12u1", date(2026, 11, 2), "/var/lib/dpkg/status"),
        ("critical", "h11", "", None, ""),
    ]


def test_old_grype(written):
    """A report of an older Grype has its database's day one level up, and a folder as its target."""
    document = json.loads(recorded("audit/grype.json"))
    document["descriptor"]["db"] = {"built": "2024-01-02T00:00:00Z"}
    document["source"]["target"] = "/srv/shop"
    told = read_scan(written(document))
    assert (told.database, told.subject, told.digests) == (date(2024, 1, 2), "/srv/shop", frozenset())


def test_hadolint(written):
    """Hadolint's findings have their line; an empty list is its word that it found nothing."""
    told = scan("hadolint")
    assert [(each.id, each.severity, each.file, each.line) for each in told.findings] == [
        ("DL3008", "warning", "Dockerfile", 12),
        ("DL3002", "error", "Dockerfile", 30),
    ]
    assert read_scan(written([])).tool == "hadolint"


def test_cosign(written):
    """Verified signatures name the digest that was signed, in the old spelling too."""
    assert scan("cosign").digests == {MANIFEST}
    assert scan("cosign").subject == "registry.example/shop"
    identity, image = {"docker-reference": "r"}, {"Docker-manifest-digest": MANIFEST}
    old = [{"Critical": {"Identity": identity, "Image": image, "Type": "x"}, "Optional": None}]
    assert read_scan(written(old)).digests == {MANIFEST}


def test_byte_order_mark(written):
    """A file that an editor began with a mark is read."""
    assert read_scan(written(b"\xef\xbb\xbf[]")).tool == "hadolint"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe[\x00", b"[" * 200_000, b'"trivy"', b"null", {}, [1], [{}], {"matches": []}, [{"code": "x"}]],
    ids=repr,
)
def test_unknown(written, content):
    """What is no JSON, or of no tool, is refused with what can be given."""
    with pytest.raises(SettingsError) as caught:
        read_scan(written(content))
    assert "hadolint --format json" in sentences(caught.value)[2]


def test_no_file(tmp_path):
    """A file that is not there is refused."""
    with pytest.raises(SettingsError):
        read_scan(tmp_path / "none.json")


def damages(value):
    """Each copy of a document in which one part is replaced by something of another kind, or is gone."""
    if isinstance(value, dict):
        for key in value:
            yield {name: each for name, each in value.items() if name != key}
            yield from ({**value, key: damaged} for damaged in damages(value[key]))
    elif isinstance(value, list):
        for at in range(len(value)):
            yield from ([*value[:at], damaged, *value[at + 1 :]] for damaged in damages(value[at]))
    yield from (None, 7, "odd", [7], {"odd": 7})


@pytest.mark.parametrize("name", TOOLS)
def test_damaged(written, name):
    """However a result is damaged, it is read or refused in three sentences, and nothing else happens."""
    told = []
    for document in damages(json.loads(recorded(f"audit/{name}.json"))):
        try:
            read_scan(written(document))
        except SettingsError as error:
            told.append(sentences(error))
    assert told
