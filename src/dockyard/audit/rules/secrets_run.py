"""SEC-04 and SEC-05: the key of the running service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.configured import below, pairs
from dockyard.audit.facts.secret_names import secret_pair, shape
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.observed import Leak
    from dockyard.audit.trials import Keys
    from dockyard.audit.verdict import Proof

SECRETS = "/run/secrets"
ANSWERED = 200


class KeyIsFile(Rule):
    """The service gets its key as a read-only file below /run/secrets, not as a variable.

    A variable is printed by `docker inspect`, inherited by every process that the service starts, and readable in
    /proc by the host. A file is read once, can be rotated, and is what Swarm, Kubernetes and Compose call a secret.

    Remedy: `--mount type=bind,source=key,target=/run/secrets/api_key,readonly` and
    `API_KEY_FILE=/run/secrets/api_key`; `invoke run --prod` does it.
    """

    id = "SEC-04"
    title = "The key is a file, not a variable"
    severity = Severity.HIGH
    references = ("OWASP Docker 12", "ANSSI R15", "NIST 800-190 4.1.4")

    @part
    def values(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """Nothing that `docker inspect` prints is a secret."""
        found = inspect.get("Config") or {}
        variables, labels = pairs(found.get("Env")), found.get("Labels") or {}
        clean = True
        for where, listed in (("Env", variables), ("Labels", labels)):
            for name, value in listed.items():
                kind = shape(str(value)) or ("value" if secret_pair(name, str(value)) else None)
                if kind:
                    clean = False
                    yield broken(
                        f"Config.{where}: {name} holds a secret ({kind})", Place(subject=f"Config.{where}.{name}")
                    )
        for where in ("Cmd", "Entrypoint"):
            kind = shape(" ".join(map(str, found.get(where) or ())))
            if kind:
                clean = False
                yield broken(f"Config.{where} holds a secret ({kind})", Place(subject=f"Config.{where}"))
        if clean:
            yield holds(
                f"No secret among {len(variables)} variables, the command and the labels", Place(subject="Config.Env")
            )

    @part
    def mounted(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """The key is mounted, and cannot be changed from inside."""
        mounts = [each for each in inspect.get("Mounts") or () if below(str(each.get("Destination")), SECRETS)]
        place = Place(subject="Mounts")
        for each in mounts:
            told = f"{each['Destination']} is a {each.get('Type')} mount"
            yield broken(f"{told} that can be written", place) if each.get("RW") else holds(f"{told}, read-only", place)
        if not mounts:
            yield broken(f"Nothing is mounted below {SECRETS}", place)

    @part
    def works(self, keys: Keys) -> Iterator[Proof]:
        """A container that got its key as a file serves those who have it."""
        place = Place(subject=keys.file.request)
        good = keys.file.status == ANSWERED
        yield holds(f"Key as a file: {keys.file}", place) if good else broken(f"Key as a file: {keys.file}", place)


class KeyNotLogged(Rule):
    """The key that clients send reaches no log.

    Logs are read by more people than the key is for, are copied to other systems and kept for years. A request is most
    likely to be logged whole when it is wrong: too large, malformed, of an unknown route.

    Remedy: log the names of headers, never their values; log the path without its query; keep request bodies out of
    error messages; then change the key.
    """

    id = "SEC-05"
    title = "The key never reaches the logs"
    severity = Severity.CRITICAL
    references = ("OWASP Logging: data to exclude", "OWASP API 8")

    @part
    def searched(self, leak: Leak) -> Iterator[Proof]:
        """Good, bad and oversized requests were sent with it, then everything written was searched."""
        where = Place(subject="logs")
        yield from (broken(f"The key was found in {each}", Place(subject=each)) for each in leak.found)
        if not leak.sent or not sum(leak.searched.values()):
            yield unknown("No request was sent with the key, or nothing that was written could be searched", where)
        elif not leak.found:
            read = ", ".join(f"{name} ({count} bytes)" for name, count in leak.searched.items())
            yield holds(f"Not found after {len(leak.sent)} requests in {read}", where)
