"""Images that pass and that fail SUP-02, SUP-03, SUP-04, SUP-05, SUP-07 and IMG-13."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from dockyard.audit.read import BaseFacts, PinnedImage, TextFile
from dockyard.audit.scans import Finding, Scan
from dockyard.settings import Settings
from dockyard.settings.audits import Audit

from .images_made import CONFIG, MANIFEST, image

COMMIT = "org.opencontainers.image.revision"
SITE = "/opt/venv/lib/python3.12/site-packages"
MODEL = "/app/models/shop.onnx"
SETTINGS = Settings(
    root=Path("/project"), image="shop", version="1.0", audit=Audit(models=("models/*.onnx",), fix_days=30, scan_days=7)
)
TODAY = date(2026, 11, 23)
BASE = BaseFacts(reference="python:3.12", digest=f"sha256:{'ba' * 32}", diff_ids=(), assembled=False)
UNUSED = PinnedImage(reference="tools:1", digest=f"sha256:{'0' * 64}", used=False)
LOCK = TextFile(
    path="lock.txt",
    text=f"h11==0.16.0 --hash=sha256:{'a1' * 32}\n"
    f"colorama==0.4.6 ; sys_platform == 'win32' --hash=sha256:{'b2' * 32}\n"
    f"tomli==2.0 ; python_version < '3.11' --hash=sha256:{'b2' * 32}\n",
)
STATUS = """\
Package: libc6
Status: install ok installed
Version: 2.36-9+deb12u13

Package: curl
Status: deinstall ok config-files
Version: 7
"""


def record(*files: tuple[str, bytes], without: str = "") -> bytes:
    """The RECORD of h11 for these files; one of them may stand without its hash."""
    lines = []
    for path, content in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        lines.append(f"{path},{'' if path == without else 'sha256=' + digest},{len(content)}")
    return "\n".join([*lines, "h11-0.16.0.dist-info/RECORD,,", "h11/tests/test_x.py,sha256=AAAA,9"]).encode()


def files(changed: dict[str, bytes | None] | None = None) -> dict[str, bytes]:
    """The files of the good image, some changed, added or (None) taken out."""
    info = f"{SITE}/h11-0.16.0.dist-info"
    metadata = b"Metadata-Version: 2.4\nName: H11\nVersion: 0.16.0\n\nVersion: 9\n"
    model = b"\x08\x09onnx"
    found: dict[str, bytes | None] = {
        "/opt/venv/bin/python": b"ELF",
        "/opt/venv/pyvenv.cfg": b"home = /usr/bin\nversion_info = 3.12.4\ninclude-system-site-packages = false\n",
        f"{SITE}/h11/__init__.py": b"x = 1\n",
        f"{SITE}/h11/__pycache__/__init__.cpython-312.pyc": b"\0",
        f"{SITE}/_virtualenv.pth": b"import _virtualenv",
        f"{info}/METADATA": metadata,
        f"{info}/RECORD": record(("h11/__init__.py", b"x = 1\n"), ("h11-0.16.0.dist-info/METADATA", metadata)),
        f"{info}/INSTALLER": b"uv",
        "/usr/lib/python3/dist-packages/other-1.dist-info/METADATA": b"Name: other\nVersion: 1\n",
        "/var/lib/dpkg/status": STATUS.encode(),
        MODEL: model,
        f"{MODEL}.sha256": f"{hashlib.sha256(model).hexdigest()}  shop.onnx\n".encode(),
    }
    return {path: content for path, content in {**found, **(changed or {})}.items() if content is not None}


def installed(changed: dict[str, bytes | None] | None = None, *, lock: TextFile = LOCK) -> dict[str, object]:
    return {"image": image(files(changed)), "lock": lock}


def other_lock(old: str, new: str) -> dict[str, object]:
    assert old in LOCK.text
    return installed(lock=TextFile(path="lock.txt", text=LOCK.text.replace(old, new, 1)))


def cyclonedx() -> dict[str, Any]:
    """An SBOM of the good image."""
    parts = ("pkg:pypi/h11@0.16.0", "pkg:pypi/other@1", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "shop", "version": MANIFEST}},
        "components": [{"type": "library", "name": "x", "purl": each} for each in parts],
    }


def spdx() -> dict[str, Any]:
    """The same as SPDX."""
    packages = [
        {
            "SPDXID": f"SPDXRef-{number}",
            "name": "x",
            "downloadLocation": "NOASSERTION",
            "externalRefs": [{"referenceType": "purl", "referenceLocator": each["purl"]}],
        }
        for number, each in enumerate(cyclonedx()["components"])
    ]
    root = {"SPDXID": "SPDXRef-root", "name": "shop", "downloadLocation": "NONE", "versionInfo": MANIFEST}
    return {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": "SPDXRef-DOCUMENT",
        "dataLicense": "CC0-1.0",
        "name": "shop",
        "documentNamespace": "urn:shop",
        "creationInfo": {"created": "2026-11-23T00:00:00Z", "creators": ["Tool: x"]},
        "packages": [root, *packages],
        "relationships": [
            {
                "spdxElementId": "SPDXRef-DOCUMENT",
                "relationshipType": "DESCRIBES",
                "relatedSpdxElement": "SPDXRef-root",
            }
        ],
    }


def sbom(document: Any = None, changed: dict[str, bytes | None] | None = None, **fields: Any) -> dict[str, object]:
    """An SBOM, with some of its fields changed, beside the good image or another."""
    told = document if document is not None else cyclonedx() | fields
    return {"sbom": TextFile(path="sbom.json", text=json.dumps(told)), "image": image(files(changed))}


def components(*purls: str) -> list[dict[str, str]]:
    return cyclonedx()["components"] + [{"type": "library", "name": "x", "purl": each} for each in purls]


def statement(**changed: Any) -> dict[str, Any]:
    """A provenance of the good image."""
    material = {"uri": "pkg:docker/python@3.12", "digest": {"sha256": "ba" * 32}}
    told = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://slsa.dev/provenance/v1",
        "subject": [{"name": "shop", "digest": {"sha256": "a1" * 32}}],
        "predicate": {"buildDefinition": {"resolvedDependencies": [material]}},
    }
    return {**told, **changed}


def committed(commit: str) -> dict[str, Any]:
    """A provenance that tells how the build was asked for, as BuildKit writes it."""
    material = {"uri": "pkg:docker/python@3.12", "digest": {"sha256": "ba" * 32}}
    parameters = {"frontend": "dockerfile.v0", "args": {f"label:{COMMIT}": commit} if commit else {}}
    whole = {"completeness": {"parameters": True}}
    predicate = {"materials": [material], "invocation": {"parameters": parameters}, "metadata": whole}
    return statement(predicateType="https://slsa.dev/provenance/v0.2", predicate=predicate)


def provenance(
    *statements: Any, reference: str = "registry.example/shop:1", labels: dict[str, str] | None = None
) -> dict[str, object]:
    given = statements or (statement(),)
    config = {"config": {"Labels": labels or {}}}
    made = image(files(), reference=reference, attestations=tuple(each for each in given if each), config=config)
    pins = (PinnedImage(reference="alpine:3.20", digest=BASE.digest, used=True), UNUSED)
    return {"image": made, "settings": SETTINGS, "base": BASE, "pins": pins}


def signed(*digests: str) -> dict[str, object]:
    scan = Scan(path="cosign.json", tool="cosign", subject="registry.example/shop", digests=frozenset(digests))
    return {"scans": (scan,), "image": image(files())}


def models(
    changed: dict[str, bytes | None] | None = None, *, rights: dict[str, dict[str, Any]] | None = None
) -> dict[str, object]:
    return {"image": image(files(changed), changed=rights), "settings": SETTINGS}


def pickled(content: bytes) -> dict[str, object]:
    """A model of this content, its manifest being right."""
    digest = hashlib.sha256(content).hexdigest().encode()
    return models({MODEL: content, f"{MODEL}.sha256": None, "/app/models/SHA256SUMS": digest + b" *shop.onnx"})


FINDING = Finding(
    id="CVE-1", severity="high", title="t", package="p", installed="1", fixed="2", known=date(2026, 11, 1)
)
SCAN = Scan(
    path="grype.json", tool="grype", subject="shop", digests=frozenset({CONFIG}),
    created=date(2026, 11, 22), database=date(2026, 11, 20),
    findings=(FINDING, replace(FINDING, severity="medium", known=None), replace(FINDING, fixed="", known=None)),
)  # fmt: skip
LINT = Scan(
    path="hadolint.json", tool="hadolint", findings=(Finding(id="DL3008", severity="warning", title="t", line=3),)
)


def scanned(*scans: Scan, **changed: Any) -> dict[str, object]:
    given = scans or (replace(SCAN, **changed), LINT)
    return {"scans": given, "image": image(files()), "settings": SETTINGS, "today": TODAY}


def found(**changed: Any) -> dict[str, object]:
    return scanned(findings=(replace(FINDING, **changed),))


PASSING = {
    "SUP-02": installed,
    "SUP-03": sbom,
    "SUP-04": provenance,
    "SUP-05": partial(signed, MANIFEST),
    "SUP-07": models,
    "IMG-13": scanned,
}
FAILING = {
    "SUP-02": [
        ("h11 is 0.16.0, the lock has 0.17.0", partial(other_lock, "0.16.0", "0.17.0")),
        (
            "h11==0.16.0 is locked and not installed",
            partial(
                installed,
                {f"{SITE}/h11-0.16.0.dist-info/{name}": None for name in ("METADATA", "RECORD", "INSTALLER")}
                | {f"{SITE}/h11/__init__.py": None},
            ),
        ),
        ('tomli==2.0 ; python_version < "3.13" is locked and not installed', partial(other_lock, "'3.11'", '"3.13"')),
        ("h11 0.16.0 is installed and not locked", partial(installed, lock=TextFile(path="lock.txt", text=""))),
        ("has other bytes than its RECORD", partial(installed, {f"{SITE}/h11/__init__.py": b"x = 2\n"})),
        ("evil.pth is in no RECORD", partial(installed, {f"{SITE}/evil.pth": b"import os"})),
        ("h11/extra.py is in no RECORD", partial(installed, {f"{SITE}/h11/extra.py": b""})),
        ("h11/a.pyc is in no RECORD", partial(installed, {f"{SITE}/h11/a.pyc": b""})),
        (
            "has no SHA-256 in its RECORD",
            partial(
                installed,
                {
                    f"{SITE}/h11-0.16.0.dist-info/RECORD": record(
                        ("h11/__init__.py", b"x = 1\n"),
                        ("h11-0.16.0.dist-info/METADATA", files()[f"{SITE}/h11-0.16.0.dist-info/METADATA"]),
                        without="h11/__init__.py",
                    )
                },
            ),
        ),
    ],
    "SUP-03": [
        ("it is neither CycloneDX nor SPDX 2", partial(sbom, bomFormat="CycloneDY")),
        ("specVersion is no version", partial(sbom, specVersion="9")),
        ("has no type or name", partial(sbom, components=[*components(), {"name": "x"}])),
        ("it does not name the image's digest", partial(sbom, metadata={"component": {"version": "sha256:00"}})),
        ("h11 0.16.0 (Python) is in the image and not", partial(sbom, components=components()[1:])),
        (
            "h11 0.16.0 (Python) is in the image, the SBOM has 0.15.0",
            partial(sbom, components=[*components("pkg:pypi/h11@0.15.0")[1:]]),
        ),
        ("libc6 2.36-9+deb12u13 (Debian) is in the image and not", partial(sbom, components=components()[:2])),
        ("flask 1 (Python) is in the SBOM and not", partial(sbom, components=components("pkg:pypi/flask@1"))),
        ("curl 7 (Debian) is in the SBOM and not", partial(sbom, components=components("pkg:deb/debian/curl@7"))),
        ("documentNamespace is missing", partial(sbom, spdx() | {"documentNamespace": ""})),
        ("it does not name the image's digest", partial(sbom, spdx() | {"relationships": []})),
    ],
    "SUP-04": [
        ("no provenance is attached", partial(provenance, None)),
        ("no provenance is attached", partial(provenance, None, reference="nginx:1")),
        ("no provenance is attached", partial(provenance, statement(predicateType="https://spdx.dev/Document"))),
        ("not of this image", partial(provenance, statement(subject=[{"digest": {"sha256": "00"}}]))),
        ("names the commit c0ffee, the label 1234", partial(provenance, committed("c0ffee"), labels={COMMIT: "1234"})),
        ("names the commit of nothing", partial(provenance, committed(""), labels={COMMIT: "1234"})),
        ("not of this image", partial(provenance, statement(subject=None))),
        ("does not name the", partial(provenance, statement(predicate={"materials": []}))),
        ("does not name the base", lambda: {**provenance(statement(predicate=None)), "pins": ()}),
        ("does not name the pinned tools:1", lambda: {**provenance(), "pins": (replace(UNUSED, used=True),)}),
    ],
    "SUP-05": [("the signature is of sha256:00", partial(signed, "sha256:00"))],
    "SUP-07": [
        ("no file of the image matches models/*.onnx", partial(models, {MODEL: None, f"{MODEL}.sha256": None})),
        ("can be changed: 1000:root 0644", partial(models, rights={MODEL: {"uid": 1000}})),
        ("can be changed: root:root 0666", partial(models, rights={MODEL: {"mode": 0o666}})),
        ("/app/models can be changed", partial(models, rights={"/app/models": {"mode": 0o777, "kind": "directory"}})),
        ("has SHA-256", partial(models, {MODEL: b"\x08\x09other"})),
        ("has no manifest beside it", partial(models, {f"{MODEL}.sha256": None})),
        ("has no manifest beside it", partial(models, {f"{MODEL}.sha256": b"none"})),
        ("is a pickle: loading it runs code", partial(pickled, b"\x80\x04\x95abc")),
        ("is a pickle: loading it runs code", partial(pickled, b"PK\x03\x04....archive/data.pkl....")),
        ("is a pickle: loading it runs code", partial(pickled, b"\x1f\x8babc")),
        ("is a pickle: loading it runs code", partial(pickled, b"\x93NUMPY\x01\x00v\x00{'descr': '|O', ")),
        ("leads to no file", partial(models, rights={"/app/models/b.onnx": {"kind": "symlink", "target": "/gone"}})),
        ("/app/old.pkl is a pickle by its name", partial(models, {"/app/old.pkl": b""})),
        ("/app/old.joblib.gz is a pickle by its name", partial(models, {"/app/old.joblib.gz": b""})),
    ],
    "IMG-13": [
        ("high CVE-1, known for 31 days: p 1, fixed in 2", partial(found, known=date(2026, 10, 23))),
        ("critical CVE-1, of unknown age", partial(found, severity="critical", known=None)),
        ("the database of grype is 8 days old, 7 are allowed", partial(scanned, database=date(2026, 11, 15))),
        ("the database of grype is 13 days old", partial(scanned, created=date(2026, 11, 10))),
        ("looked at sha256:00, not at this image", partial(scanned, digests=frozenset({"sha256:00"}))),
        ("looked at an image without a digest", partial(scanned, digests=frozenset())),
        (
            "hadolint DL3002: root",
            partial(
                scanned,
                SCAN,
                replace(
                    LINT, findings=(Finding(id="DL3002", severity="error", title="root", file="Dockerfile", line=9),)
                ),
            ),
        ),
    ],
}
