from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from dockyard.machine import corporate

SECRET = "https://user:hunter2@index.example/simple"


@pytest.fixture
def bundles(tmp_path):
    """Files of certificates, by the name of who names them."""
    files = {name: tmp_path / f"{name}.pem" for name in ("settings", "first", "second", "pip")}
    for file in files.values():
        file.touch()
    return files


def test_nothing(wanted):
    """On an open network nothing is set, and that is no problem."""
    seen = corporate.network(wanted, {}, {})

    assert (seen.ca_bundle, seen.index_url, seen.proxy, seen.problems) == (None, None, None, ())
    assert seen.written == {}
    assert [each.state for each in corporate.findings(seen)] == ["found"] * 3
    assert all(each.detail == "none is set" for each in corporate.findings(seen))


def test_bundle_order(wanted, bundles):
    """The settings' bundle counts first, then the environment's in a fixed order, then pip's."""
    pip = {"cert": str(bundles["pip"])}
    assert corporate.network(wanted, {}, pip).ca_bundle == bundles["pip"]

    environment = {"REQUESTS_CA_BUNDLE": str(bundles["second"])}
    assert corporate.network(wanted, environment, pip).ca_bundle == bundles["second"]

    environment["SSL_CERT_FILE"] = str(bundles["first"])
    seen = corporate.network(wanted, environment, pip)
    assert (seen.ca_bundle, seen.ca_origin) == (bundles["first"], "SSL_CERT_FILE")

    seen = corporate.network(replace(wanted, ca_bundle=bundles["settings"]), environment, pip)
    assert (seen.ca_bundle, seen.ca_origin) == (bundles["settings"], "the settings")


def test_missing_bundle(wanted, bundles, tmp_path):
    """A bundle that is not there is said, and the next one serves."""
    environment = {"SSL_CERT_FILE": str(tmp_path / "gone.pem"), "PIP_CERT": str(bundles["first"])}

    seen = corporate.network(wanted, environment, {})

    assert seen.ca_bundle == bundles["first"]
    (problem,) = corporate.findings(seen)[3:]
    assert problem.state == "refused"
    assert "SSL_CERT_FILE" in problem.detail
    assert "gone.pem" in problem.detail
    assert problem.todo


def test_index_order(wanted):
    """The settings' index counts first, then uv's, then pip's variables, then pip's configuration."""
    pip = {"index-url": "https://four.example"}
    assert corporate.network(wanted, {}, pip).index_url == "https://four.example"

    environment = {"PIP_INDEX_URL": "https://three.example"}
    assert corporate.network(wanted, environment, pip).index_url == "https://three.example"

    environment["UV_DEFAULT_INDEX"] = "https://two.example"
    assert corporate.network(wanted, environment, pip).index_url == "https://two.example"

    seen = corporate.network(replace(wanted, index_url="https://one.example"), environment, pip)
    assert (seen.index_url, seen.index_origin) == ("https://one.example", "the settings")


def test_local_index(wanted):
    """An index that is a folder of this machine is none for a build, and that is said."""
    seen = corporate.network(wanted, {"PIP_INDEX_URL": "file:///opt/simple"}, {"index-url": "https://a.example"})

    assert seen.index_url == "https://a.example"
    assert seen.problems == ("PIP_INDEX_URL names file:///opt/simple, which a build cannot reach.",)


@pytest.mark.parametrize("environment", [{"PIP_INDEX_URL": SECRET}, {"PIP_INDEX_URL": SECRET.replace("https", "ftp")}])
def test_secret(wanted, environment):
    """An index's password is in no line of the table and in no repr, whether the index is used or not."""
    seen = corporate.network(wanted, environment, {})

    told = [*(each.detail for each in corporate.findings(seen)), repr(seen), repr(replace(wanted, index_url=SECRET))]
    assert not [each for each in told if "hunter2" in each]
    assert any("://[REDACTED]@index.example/simple" in each for each in told)


def test_proxy_order(wanted):
    """The settings' proxy counts first, then that for HTTPS, then HTTP's, then pip's; a scheme may be left out."""
    pip = {"proxy": "http://four.example:3128"}
    assert corporate.network(wanted, {}, pip).proxy == "http://four.example:3128"

    environment = {"http_proxy": "three.example:3128"}
    assert corporate.network(wanted, environment, pip).proxy == "http://three.example:3128"

    environment["https_proxy"] = "http://two.example:3128"
    assert corporate.network(wanted, environment, pip).proxy == "http://two.example:3128"

    seen = corporate.network(replace(wanted, proxy="https://one.example"), environment, pip)
    assert (seen.proxy, seen.proxy_origin) == ("https://one.example", "the settings")


def test_no_proxy(wanted):
    """What is reached without the proxy is handed on with it, and is of no use without one."""
    environment = {"no_proxy": "two.example"}
    assert corporate.network(wanted, environment, {}).written == {}

    environment["HTTPS_PROXY"] = "http://proxy.example"
    assert corporate.network(wanted, environment, {}).written == {
        "proxy": "http://proxy.example",
        "no_proxy": "two.example",
    }
    said = corporate.network(replace(wanted, no_proxy="one.example"), environment, {})
    assert said.written["no_proxy"] == "one.example"


@pytest.mark.parametrize("address", ["127.0.0.1:3128", "http://localhost:3128", "http://[::1]:3128"])
def test_own_proxy(wanted, address):
    """A proxy on this machine's loopback is none for a build: it is told, and nothing is refused for it."""
    seen = corporate.network(wanted, {"HTTPS_PROXY": address}, {})

    assert (seen.proxy, seen.problems) == (None, ())
    line = corporate.findings(seen)[2]
    assert (line.subject, line.state) == ("proxy", "found")
    assert line.detail.startswith("none is set; HTTPS_PROXY names http://")


@pytest.mark.parametrize(
    "address", ["http://user:hunter2@proxy.example:3128", "user:hunter2@127.0.0.1:3128"], ids=["far", "own"]
)
def test_proxy_secret(wanted, address):
    """A proxy's password is in no line of the table and in no repr, whether the proxy is used or not."""
    seen = corporate.network(wanted, {"HTTP_PROXY": address}, {})

    told = [*(each.detail for each in corporate.findings(seen)), repr(seen), repr(replace(wanted, proxy=address))]
    assert not [each for each in told if "hunter2" in each]
    assert any("://[REDACTED]@" in each for each in told)


def configure(file, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_pip_files(tmp_path, monkeypatch):
    """The files are read in pip's order: the machine's, the user's, the environment's, the named one; later wins."""
    root, home = tmp_path / "root", tmp_path / "home"
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))

    def read(**environment):
        return corporate.pip_configuration(root, home, environment).get("index-url")

    assert read() is None
    folders = (root / "etc/xdg/pip", root / "etc", home / ".pip", home / ".config/pip", tmp_path / "venv")
    for number, folder in enumerate(folders):
        configure(folder / "pip.conf", f"[global]\nindex-url = https://{number}.example\n")
        assert read() == f"https://{number}.example"
    configure(tmp_path / "named", "[global]\nindex-url = https://named.example/%40\n")
    assert read(PIP_CONFIG_FILE=str(tmp_path / "named")) == "https://named.example/%40"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("[global]\ncert = /a\n[install]\nindex-url = https://b\n", {"cert": "/a", "index-url": "https://b"}),
        ("[install]\ncert = /b\n[global]\ncert = /a\n", {"cert": "/b"}),
        ("[freeze]\ntimeout = 10\n", {}),
        ("no section = 1\n", {}),
    ],
    ids=["sections", "install-over-global", "others", "damaged"],
)
def test_pip_sections(tmp_path, text, read):
    """The sections that hold for an installation are read; a damaged file is passed over."""
    configure(tmp_path / "etc/pip.conf", text)

    assert corporate.pip_configuration(tmp_path, tmp_path / "home", {}) == read
