"""`python -m house_pricing.healthcheck`: exit 0 if the service here is ready, else 1 and one line saying why.

Run by the container engine every few seconds: standard library only, and no import of the service itself beyond
its settings, so that it asks the address and port the service was told.
"""

from __future__ import annotations

import http.client
import json
import sys

from house_pricing import settings

LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on


def check() -> str | None:
    """Why the service is not ready; none if it is."""
    try:
        config = settings.load()
    except settings.SettingsError as error:
        return error.problems[0]
    host = LOOPBACK.get(config.host, config.host)
    timeout = config.healthcheck_timeout
    connection = http.client.HTTPConnection(host, config.port, timeout=timeout)
    try:
        connection.request("GET", "/ready")
        reply = connection.getresponse()
        body = reply.read(65_536)
    except TimeoutError:
        return f"no answer from {host}:{config.port} within {timeout:g} s"
    except (OSError, http.client.HTTPException) as error:
        return f"no answer from {host}:{config.port}: {error or type(error).__name__}"
    finally:
        connection.close()
    return None if reply.status == http.client.OK else f"status {reply.status}: {_detail(body)}"


def _detail(body: bytes) -> str:
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def main() -> int:
    """Say why not, on one line."""
    reason = check()
    if reason:
        sys.stdout.write(" ".join(reason.split()) + "\n")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
