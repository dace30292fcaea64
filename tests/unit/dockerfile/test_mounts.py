from __future__ import annotations

import pytest

from dockyard.dockerfile import DockerfileError, Mount, parse


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("target=/a", {"target": "/a"}),
        ("dst=$T,src=x", {"target": "/t", "source": "x"}),
        ("destination=/a,from=b,ro", {"target": "/a", "from_": "b", "options": {"readonly": "true"}}),
        ("TYPE=Cache,id=x,target=/a,sharing=LOCKED", {"type": "cache", "id": "x", "target": "/a", "sharing": "locked"}),
        ("type=cache,mode=0755,uid=1,gid=2", {"type": "cache", "options": {"mode": "0755", "uid": "1", "gid": "2"}}),
        ("type=tmpfs,target=/a,size=1g", {"type": "tmpfs", "target": "/a", "options": {"size": "1g"}}),
        ("type=secret,id=s,required,env=E", {"type": "secret", "id": "s", "options": {"required": "true", "env": "E"}}),
        ("type=ssh", {"type": "ssh"}),
        ('type=bind,"source=a,b",target=/a', {"source": "a,b", "target": "/a"}),
        ("rw=false,target=/", {"target": "/", "options": {"readwrite": "false"}}),
        ("type=${TYPE:-tmpfs},target=/a", {"type": "tmpfs", "target": "/a"}),
    ],
)  # fmt: skip
def test_mounts(value, expected):
    """The fields of a mount have one name each, whichever of BuildKit's is used; their values are expanded."""
    tree = parse(f"FROM scratch AS b\nFROM scratch\nENV T=/t\nRUN --mount='{value}' --mount=type=ssh a")

    assert tree.final.instructions[-1].mounts == (Mount(**expected), Mount(type="ssh"))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "type=nope",
        "nope=1",
        "target",
        "type=cache,sharing=nope",
        "sharing=locked",
        "required",
        "mode=1",
        "type=cache,mode=9",
        "type=cache,uid=x",
        "size=1",
        "ro=perhaps",
        "type=secret",
        "type=secret,id=a,from=b",
        "type=secret,id=a,source=b",
        "from=$A",
        'a"b',
        '"target=/a',
        '"target=/a"b',
        '"target=a""b"',
        "target=${A",
    ],
)
def test_refused(value):
    """A mount that BuildKit would refuse is refused."""
    with pytest.raises(DockerfileError):
        parse(f"FROM scratch\nRUN --mount='{value}' a")
