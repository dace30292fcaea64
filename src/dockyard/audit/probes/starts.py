"""Starts with no key, with bad keys and with two good ones."""

from __future__ import annotations

import dataclasses
import json
import secrets
from typing import TYPE_CHECKING

from dockyard.audit.probes import web
from dockyard.audit.trials import Keys
from dockyard.run.throwaway import as_in_production
from dockyard.settings import key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.audit.probes.session import Session
    from dockyard.plan import RunPlan


def keys(session: Session) -> Mapping[str, object]:
    """Start without a key, with ones that production must refuse, and with two at once."""
    settings = session.settings
    none = session.ended(_untold, value="", command="start without a key")
    shortest = settings.run.key_length
    bad = {
        "an empty key file": "",
        f"a key of {shortest - 1} characters": secrets.token_hex(shortest)[: shortest - 1],
        "the public development key": settings.dev.key.get_secret_value(),
        "`changeme`, repeated": "changeme" * 8,
    }
    refused = tuple(
        session.ended(as_in_production, value=value, command=f"start with {name}") for name, value in bad.items()
    )
    one, two = key.make().get_secret_value(), key.make().get_secret_value()
    body = json.dumps(session.golden().request).encode()
    with session.start(value=f"{one}\n{two}") as target:
        header, route = settings.smoke.key_header, settings.smoke.keyed_route
        query = f"{route}?{header}={one}&api_key={one}&key={one}"
        return {
            "keys": Keys(
                none=none,
                refused=refused,
                query=web.ask(
                    target, "POST", query, headers=web.JSON, body=body, name=f"POST {route}, key in the query"
                ),
                rotation=tuple(
                    web.predict(target, body, key=value, name=f"POST {route}, the {name} of two keys")
                    for name, value in (("first", one), ("second", two))
                ),
                file=web.predict(target, body, name=f"POST {route}, key from a file"),
            )
        }


def _untold(planned: RunPlan) -> RunPlan:
    """Name no key to the service, in a variable or in a file."""
    env = {name: value for name, value in planned.env.items() if name not in key.VARIABLES}
    return dataclasses.replace(planned, env=env)
