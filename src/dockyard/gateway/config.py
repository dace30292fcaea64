"""What HAProxy is told at its start; the one thing in it that changes is the container that serves."""

from __future__ import annotations

# Inside the container: a port that needs no privilege.
PORT = 8080
FOLDER = "/etc/gateway"
NAME = "haproxy.cfg"
SOCKET = "/tmp/admin.sock"  # noqa: S108 - the container's own tmpfs
BACKEND = "service"
SLOTS = ("one", "two")
# Docker's name server knows a container by the first twelve digits of its id; no other one ever has that name.
DIGITS = 12

TEMPLATE = """\
global
    maxconn 2000
    log stdout format raw local0 notice
    stats socket {socket} mode 600 level admin

defaults
    log global
    mode http
    # A connection that the service closes while it is idle could take a request with it: it gets a new one for each.
    option http-server-close
    option redispatch
    option forwardfor
    retries 3
    timeout connect 3s
    timeout http-request 30s
    timeout client 300s
    timeout server 300s

resolvers docker
    nameserver engine 127.0.0.11:53
    resolve_retries 3
    timeout resolve 1s
    timeout retry 1s
    hold valid 1s
    hold nx 5s
    hold other 5s
    hold refused 5s
    hold timeout 5s

frontend public
    bind :::{port} v4v6
    default_backend {backend}

backend {backend}
    option httpchk
    # Without `linger` a check ends with a reset, which some services log as an error of theirs.
    http-check connect linger
    http-check send meth GET uri {route} ver HTTP/1.1 hdr Host localhost hdr Connection close
    http-check expect status 200
    http-error status 503 content-type "application/json" string '{{"detail": "The service is stopped or not ready."}}'
    default-server check inter 1s fastinter 200ms downinter 200ms rise 1 fall 2
    default-server resolvers docker resolve-prefer ipv4 init-addr libc,none
"""


def alias(container: str) -> str:
    """Return the name by which a container is found on its network, whatever it is called at the moment."""
    return container[:DIGITS]


def render(serving: str, *, spare: str, route: str, port: int) -> str:
    """Return the configuration in which one container gets every request.

    Args:
        serving: Id of the container; empty sends requests to none.
        spare: A name that can always be resolved, for servers that are switched off.
        route: The route that answers 200 while a container serves.
        port: On which containers listen.
    """
    name = alias(serving) or spare
    states = ("" if serving else " disabled", " disabled")
    servers = (f"    server {slot} {name}:{port}{state}\n" for slot, state in zip(SLOTS, states, strict=True))
    return TEMPLATE.format(socket=SOCKET, port=PORT, backend=BACKEND, route=route) + "".join(servers)
