from __future__ import annotations

import pytest

from dockyard.engines.daemon import Daemon
from dockyard.errors import EngineError
from dockyard.gateway import admin
from dockyard.gateway.admin import Admin, read_servers, read_sessions

# As HAProxy 2.6 said it: the first place serves, the second was off from the start.
STATE = """\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_fqdn srv_port
3 service 1 one {one} {up_one} {admin_one} 1 1 {name_one} 8000
3 service 2 two {two} {up_two} {admin_two} 1 1 {name_two} 8000

"""
STAT = """\
# pxname,svname,qcur,qmax,scur,smax,
public,FRONTEND,,,9,9,
service,one,0,0,{one},4,
service,two,0,0,{two},4,
service,BACKEND,0,0,7,9,
"""
READY, OFF, WAS_OFF, RENAMED, DRAINS, LOST = 0, 0x25, 0x04, 0x44, 0x48, 0x60
OLD, NEW = "a" * 64, "b" * 64


class Fake(Admin):
    """An HAProxy of two places that does what it is told, and remembers that."""

    def __init__(self, busy: int = 0) -> None:
        super().__init__(Daemon(), "api-prod-gateway")
        self.places = {
            "one": {"addr": "172.18.0.2", "fqdn": OLD[:12], "admin": READY},
            "two": {"addr": "-", "fqdn": OLD[:12], "admin": OFF},
        }
        self.told: list[str] = []
        self.busy = busy

    def ask(self, *commands: str) -> str:
        for each in commands:
            self._do(each.split())
        if commands[0].startswith("show servers"):
            return STATE.format(
                **{
                    f"{name}_{slot}" if name != "addr" else slot: value
                    for slot, place in self.places.items()
                    for name, value in (
                        ("addr", place["addr"]),
                        ("up", 0 if place["addr"] == "-" else 2),
                        ("admin", place["admin"]),
                        ("name", place["fqdn"]),
                    )
                }
            )
        self.busy = max(0, self.busy - 1) if commands[0] == "show stat" else self.busy
        return STAT.format(one=self.busy, two=0)

    def _do(self, words: list[str]) -> None:
        if words[0] == "set":
            self.told.append(" ".join(words[2:]))
            place, (what, value) = self.places[words[2].partition("/")[2]], words[3:]
            states = {"ready": RENAMED, "drain": DRAINS, "maint": 0x41}
            place.update({"admin": states[value]} if what == "state" else {what: value})


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Ask again at once, and not for long."""
    monkeypatch.setattr(admin, "PAUSE", 0)
    monkeypatch.setattr(admin, "SECONDS", 0.05)
    monkeypatch.setattr(Admin, "_said", lambda _: "It logged nothing.")


@pytest.mark.parametrize(
    ("flags", "is_"),
    [
        (READY, (True, False, False)),
        (WAS_OFF, (True, False, False)),
        (RENAMED, (True, False, False)),
        (OFF, (False, True, False)),
        (LOST, (False, True, False)),
        (DRAINS, (False, False, True)),
    ],
)
def test_flags(flags, is_):
    """What is written there for good keeps no server from being ready; what leads nowhere is off."""
    told = STATE.format(
        one="172.18.0.2", up_one=2, admin_one=flags, name_one="x", two="-", up_two=0, admin_two=OFF, name_two="x"
    )
    (one, two) = read_servers(told)
    assert (one.ready, one.off, one.draining) == is_
    assert (one.slot, one.alias, one.address, one.up) == ("one", "x", "172.18.0.2", True)
    assert (two.up, two.off) == (False, True)


def test_sessions():
    """Only the requests at the servers of the service are counted."""
    assert read_sessions(STAT.format(one=3, two=0)) == {"one": 3, "two": 0, "BACKEND": 7}


def test_send_to():
    """The new one is ready, under its name, before the old one drains; then nothing else is ready."""
    haproxy = Fake()
    haproxy.send_to(NEW, "172.18.0.3")
    assert haproxy.told == [
        "service/two state maint",
        f"service/two fqdn {NEW[:12]}",
        "service/two addr 172.18.0.3",
        "service/two state ready",
        "service/one state drain",
    ]
    assert haproxy.serving(NEW)
    assert not haproxy.serving(OLD)


def test_send_to_again():
    """Told twice, it is done once."""
    haproxy = Fake()
    haproxy.send_to(NEW, "172.18.0.3")
    done = len(haproxy.told)
    haproxy.send_to(NEW, "172.18.0.3")
    assert len(haproxy.told) == done


def test_send_back():
    """One that drains takes its place again."""
    haproxy = Fake()
    haproxy.send_to(NEW, "172.18.0.3")
    haproxy.send_to(OLD, "172.18.0.2")
    assert haproxy.serving(OLD)
    assert haproxy.places["two"]["admin"] == DRAINS


def test_a_new_one_that_is_not_up():
    """One that HAProxy does not find is an error, and the old one goes on."""
    haproxy = Fake()
    with pytest.raises(EngineError, match="did not find bbbbbbbbbbbb healthy"):
        haproxy.send_to(NEW, "-")
    assert haproxy.places["one"]["admin"] == READY


@pytest.mark.parametrize(("seconds", "drained"), [(5, True), (-1, False)])
def test_drained(seconds, drained):
    """Requests in flight are waited for, as long as is said."""
    haproxy = Fake(busy=3)
    haproxy.send_to(NEW, "172.18.0.3")
    assert haproxy.drained(seconds) is drained
    assert (haproxy.busy == 0) is drained


def test_forget():
    """The place of one that has gone is off, and has the name of the one that serves."""
    haproxy = Fake()
    haproxy.send_to(NEW, "172.18.0.3")
    haproxy.forget("spare")
    assert haproxy.places["one"]["fqdn"] == NEW[:12]
    assert haproxy.servers()[0].off
    assert haproxy.serving(NEW)


def test_send_to_none():
    """With nobody to serve, both places are off under a name that can be resolved."""
    haproxy = Fake()
    haproxy.send_to_none()
    haproxy.forget("spare")
    assert [(each.off, each.alias) for each in haproxy.servers()] == [(True, "spare"), (True, "spare")]
