"""What an index says of its image, without a look at the layers."""

from __future__ import annotations

import pytest

from dockyard.errors import EngineError
from dockyard.image import attested
from images import OCI, Saved, archive, blob_name, descriptor, digest, encoded, file, index, manifest, streamed, tar
from support import sentences

STATEMENT = {"predicateType": "https://slsa.dev/provenance/v0.2", "subject": []}


def built(*, images: int = 1, told: bytes = b"", changed: dict[str, bytes] | None = None) -> tuple[bytes, str]:
    """An archive as the engine saves what BuildKit attested, and the digest of its index."""
    made = Saved(layers=[tar(file("a", b"x" * 100_000))], statements=[STATEMENT])
    files = {name: data for name, data in made.oci().items() if name.startswith("blobs/")}
    statement = told or encoded(STATEMENT)
    attesting = manifest(b"{}", [statement], "application/vnd.in-toto+json")
    own = descriptor(made.manifest(), f"{OCI}.manifest.v1+json")
    notes = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": own["digest"]}
    inner = index([own] * images + [{**descriptor(attesting, f"{OCI}.manifest.v1+json"), "annotations": notes}])
    for each in (statement, attesting, inner):
        files[blob_name(each)] = each
    return archive({**files, **(changed or {})}), digest(inner)


def test_read():
    """The image's own digest and what is attested of it are found, however small the pieces are that come."""
    data, about = built()
    found = attested(streamed(data, 1000), about)

    assert found.images == (digest(Saved(layers=[tar(file("a", b"x" * 100_000))]).manifest()),)
    assert found.statements == (STATEMENT,)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"images": 2}, "It names 2 images"),
        ({"images": 0}, "It names 0 images"),
        ({"told": b"{no json"}, "It is no JSON"),
        ({"changed": {blob_name(encoded(STATEMENT)): b'{"other": 1}'}}, "has other bytes under its name"),
    ],
)
def test_broken(given, why):
    """What is not an index of one image, or has been changed, is refused."""
    data, about = built(**given)
    with pytest.raises(EngineError) as caught:
        attested(streamed(data), about)
    assert why in sentences(caught.value)[1]


@pytest.mark.parametrize("keep", [0, 700, 5000])
def test_cut(keep):
    """An archive that is cut off is refused."""
    data, about = built()
    with pytest.raises(EngineError):
        attested(streamed(data[:keep]), about)
