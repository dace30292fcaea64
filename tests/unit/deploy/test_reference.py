from __future__ import annotations

import pytest

from dockyard.deploy.reference import Reference, read, resolve
from dockyard.engines.facts import ServerFacts
from dockyard.errors import EngineError, SettingsError
from support import FakeDaemon, image, sentences

ONE, TWO = (f"sha256:{digit * 64}" for digit in "12")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("api", ("api", "", "")),
        ("api:1.0", ("api", "1.0", "")),
        ("registry.corp:5000/team/api", ("registry.corp:5000/team/api", "", "")),
        ("registry.corp:5000/api:1", ("registry.corp:5000/api", "1", "")),
        (f"team/api:1@{ONE}", ("team/api", "1", ONE)),
    ],
)
def test_read(text, parts):
    """A reference is taken apart, a port not taken for a tag, and put together again."""
    reference = read(text)

    assert reference == Reference(repository=parts[0], tag=parts[1], digest=parts[2])
    assert str(reference) == text


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        ("api", ""),
        ("team/api:1.0", ""),
        ("registry.corp/api", "registry.corp"),
        ("host:5000/api", "host:5000"),
        ("localhost/api", "localhost"),
    ],
)
def test_registry(text, registry):
    """A registry is what has a point or a port, or is this machine; a name without one is Docker Hub's."""
    assert read(text).registry == registry


@pytest.mark.parametrize("text", ["", "a b", "api@sha256:1", "api@", f"api@{ONE}0", "api:a:b", ":1"])
def test_no_reference(text):
    """What is none is refused, with an example."""
    with pytest.raises(SettingsError) as caught:
        read(text)

    assert "@sha256:…" in sentences(caught.value)[2]


class Engine(FakeDaemon):
    """An engine with some images, by reference, whose digests are given."""

    def __init__(self, recorder, containerd=True, **digests):
        super().__init__(recorder)
        self.told, self.containerd = digests, containerd

    def image(self, reference):
        digests = self.told.get(reference.replace("/", "_").replace(":", "_").replace("-", "_"))
        return None if digests is None else image(tags=(reference,), digests=tuple(digests))

    def server(self):
        return ServerFacts(version="1", containerd_store=self.containerd, architecture="x", data_root="/")


@pytest.mark.parametrize(
    ("given", "setting", "digests", "resolved"),
    [
        (f"r/api@{ONE}", "", {}, f"r/api@{ONE}"),
        ("", f"r/api@{ONE}", {}, f"r/api@{ONE}"),
        (f"r/api@{ONE}", f"r/api@{TWO}", {}, f"r/api@{ONE}"),
        ("", "", {"tiny_service_prod": [f"tiny-service@{ONE}"]}, f"tiny-service@{ONE}"),
        ("", "r/api", {"tiny_service_prod": [f"tiny-service@{ONE}"]}, f"r/api@{ONE}"),
        ("", "r/api", {"tiny_service_prod": [f"tiny-service@{ONE}", f"r/api@{TWO}"]}, f"r/api@{TWO}"),
        ("", "r/api:2", {"r_api_2": [f"r/api@{TWO}"], "tiny_service_prod": [f"r/api@{ONE}"]}, f"r/api@{TWO}"),
    ],
)
def test_resolve(recorder, settings_of, given, setting, digests, resolved):
    """The digest is the one that is said, else the repository's own, else that of the image that was built here."""
    settings = settings_of(deploy__image=setting)
    assert resolve(settings, given, daemon=Engine(recorder, **digests), allow_tag=False) == resolved


@pytest.mark.parametrize("digests", [{}, {"tiny_service_prod": []}, {"tiny_service_prod": [f"tiny-service@{ONE}"]}])
def test_no_digest(recorder, settings_of, digests):
    """A tag is refused where there is no digest; one that no registry has is none outside of containerd's store."""
    engine = Engine(recorder, containerd=False, **digests)
    with pytest.raises(SettingsError) as caught:
        resolve(settings_of(deploy__image="r/api"), "", daemon=engine, allow_tag=False)

    what, why, todo = sentences(caught.value)
    assert "a tag can be moved" in what
    assert ("was not pushed" if digests else "has no image tiny-service:prod") in why
    assert "--allow-tag" in todo


@pytest.mark.parametrize(("given", "resolved"), [("", "r/api:prod"), ("r/api:7", "r/api:7")])
def test_allowed_tag(recorder, settings_of, given, resolved):
    """A tag is taken where it is allowed, that of the settings where none is said."""
    settings = settings_of(deploy__image="r/api")
    assert resolve(settings, given, daemon=Engine(recorder), allow_tag=True) == resolved


def test_no_engine(recorder, settings_of):
    """Where a digest must be asked for and no engine answers, that is what is said."""

    class Gone(Engine):
        def image(self, reference):
            raise EngineError("The Docker engine does not answer.", "It is gone.", "Run `invoke setup`.")

    with pytest.raises(EngineError):
        resolve(settings_of(), "", daemon=Gone(recorder), allow_tag=False)
