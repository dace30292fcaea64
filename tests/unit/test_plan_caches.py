"""Settings -> the exact values of --cache-from and --cache-to."""

from __future__ import annotations

import pytest

from dockyard.errors import SettingsError
from dockyard.plan import layer_cache
from dockyard.settings import load
from support import SECRET, sentences

S3 = {"cache.bucket": "builds", "cache.region": "eu-central-1"}


@pytest.fixture
def cache(project):
    """The layer cache of a project, by a preset and settings with their dotted keys."""

    def cache(preset="", branch="", stage="", **given):
        settings = load({"cache.preset": preset, **given.pop("also", {})}, start=project, environment={}).settings
        return layer_cache(settings, branch=branch, stage=stage)

    return cache


def test_none(cache):
    """Without a preset nothing is kept beyond the builder."""
    assert cache() is None


def test_gha(cache):
    """The scope is of this image and Python, since GitHub keeps branches apart; no address and no token is said."""
    assert cache("gha", branch="topic/a").options() == {
        "cache_from": [{"type": "gha", "scope": "tiny-service-py3.12"}],
        "cache_to": {"type": "gha", "scope": "tiny-service-py3.12", "mode": "max", "ignore-error": "true"},
    }


def test_registry(cache):
    """A branch has a tag of its own, and begins with what the main branch left."""
    told = cache("registry", branch="topic/A b", also={"cache.ref": "registry.corp/team/cache"}).options()
    assert told == {
        "cache_from": [
            {"type": "registry", "ref": "registry.corp/team/cache:py3.12-topic-A-b"},
            {"type": "registry", "ref": "registry.corp/team/cache:py3.12-main"},
        ],
        "cache_to": {
            "type": "registry",
            "ref": "registry.corp/team/cache:py3.12-topic-A-b",
            "mode": "max",
            "ignore-error": "true",
        },
    }


@pytest.mark.parametrize("branch", ["", "main"])
def test_main_branch(cache, branch):
    """The main branch, and a build of which nobody knows the branch, has one source."""
    (source,) = cache("registry", branch=branch, also={"cache.ref": "localhost:5000/c"}).sources
    assert source["ref"] == "localhost:5000/c:py3.12-main"


def test_s3(cache):
    """Bucket and region are said, credentials never; a service of one's own is asked by path."""
    place = {"type": "s3", "region": "eu-central-1", "bucket": "builds"}
    main = {**place, "name": "tiny-service-py3.12-main"}
    assert cache("s3", also=S3).options() == {
        "cache_from": [main],
        "cache_to": {**main, "mode": "max", "ignore-error": "true"},
    }
    (own,) = cache("s3", also={**S3, "cache.endpoint": "https://store.corp"}).sources
    assert (own["endpoint_url"], own["use_path_style"]) == ("https://store.corp", "true")


def test_local(cache, project):
    """A folder for each kind of build, written whole; its failure is the build's."""
    folder = project / ".dockyard/layers/py3.12"
    assert cache("local").options() == {
        "cache_from": [{"type": "local", "src": str(folder)}],
        "cache_to": {"type": "local", "dest": str(folder), "mode": "max"},
    }


def test_kinds(cache):
    """Another Python, platform or stage has a cache of its own: each writes all of it."""
    also = {"python": "3.13", "build.platforms": ["linux/arm64"]}
    assert cache("gha", stage="builder", also=also).sources[0]["scope"] == ("tiny-service-py3.13-linux-arm64-builder")


def test_only_reading(cache):
    """A build that may not write imports alone, and one without the cache writes alone."""
    assert set(cache("gha", also={"cache.export": False}).options()) == {"cache_from"}
    assert set(cache("gha").options(imports=False)) == {"cache_to"}
    assert cache("gha", also={"cache.mode": "min"}).options()["cache_to"]["mode"] == "min"


@pytest.mark.parametrize(
    ("preset", "also", "missing"),
    [
        ("registry", {}, "cache.ref"),
        ("s3", {"cache.region": "eu"}, "cache.bucket"),
        ("s3", {"cache.bucket": "b"}, "cache.region"),
    ],
)
def test_missing(cache, preset, also, missing):
    """What a preset cannot do without is named."""
    with pytest.raises(SettingsError) as caught:
        cache(preset, also=also)
    what, _, todo = sentences(caught.value)
    assert f"{missing} is not set" in what
    assert "[tool.dockyard.cache]" in todo


@pytest.mark.parametrize("key", ["ref", "bucket", "region", "endpoint"])
@pytest.mark.parametrize("value", ["a,token=b", "a b", f"https://me:{SECRET}@host", 'a"b', "secret_access_key=x"])
def test_no_more_than_a_name(cache, key, value):
    """No setting can bring another attribute or credentials into the argument list, nor into the error."""
    with pytest.raises(SettingsError) as caught:
        cache("s3", also={f"cache.{key}": value})
    assert SECRET not in str(caught.value)


def test_folder_with_a_comma(cache):
    """A folder that buildx would cut is refused."""
    with pytest.raises(SettingsError, match="cannot be kept"):
        cache("local", also={"cache.folder": "a,b"})
