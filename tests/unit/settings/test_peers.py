from __future__ import annotations

import pytest

from dockyard.settings.peers import Peer, peer


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("*", Peer()),
        ("*:443", Peer(port=443)),
        ("10.0.0.0/8", Peer(cidr="10.0.0.0/8")),
        ("10.1.2.3/32:5000", Peer(cidr="10.1.2.3/32", port=5000)),
        ("2001:db8::/32", Peer(cidr="2001:db8::/32")),
        ("2001:db8::/32:443", Peer(cidr="2001:db8::/32", port=443)),
        ("namespace/ingress-nginx", Peer(namespace="ingress-nginx")),
        ("namespace/mlflow:5000", Peer(namespace="mlflow", port=5000)),
        ("app=front", Peer(label=("app", "front"))),
        ("app.kubernetes.io/name=front:80", Peer(label=("app.kubernetes.io/name", "front"), port=80)),
        ("namespace/m/app.kubernetes.io/name=p", Peer(namespace="m", label=("app.kubernetes.io/name", "p"))),
    ],
)
def test_peer(text, read):
    """Each form is read, with and without its port."""
    assert peer(text) == read
    assert read.everybody is text.startswith("*")


@pytest.mark.parametrize(
    "text",
    ["", "front", "10.0.0.1", "10.0.0.1/8", "10.0.0.0/33", "::1", "namespace/", "namespace/A", "namespace/a/", "app=",
     "namespace/a/b", "namespaces/a", "*:0", "*:65536", "*:http", "app=a b", ":80", "10.0.0.0/8:"],
)  # fmt: skip
def test_no_peer(text):
    """Anything else is refused, and the forms are told: a peer that is taken for another opens or closes a door."""
    with pytest.raises(ValueError, match="is no peer: write"):
        peer(text)
