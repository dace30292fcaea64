"""Sends an image to a registry under one tag, and reads it back by tag and by digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.engines.buildx import last_useful_line
from dockyard.errors import DeployError, EngineError
from dockyard.push.faults import Answer, Sent, retried

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard.engines import Engine
    from dockyard.push.access import Access
    from dockyard.push.destination import Destination
    from dockyard.settings.pushes import Push

SENT = "Pushed"
LAYER = re.compile(r"(?P<id>[0-9a-f]{12}): (?P<state>Pushed|Layer already exists|Already exists|Mounted from .*)")
END = re.compile(r"\S+: digest: (?P<digest>sha256:[0-9a-f]{64}) size: \d+")


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What became of one tag.

    Attributes:
        before: The digest that the tag had in the registry; empty if it was new.
        sent: How many layers went over the network; an attempt that failed later counts too.
        there: How many layers the registry had already.
    """

    tag: str
    digest: str
    before: str
    sent: int
    there: int


class Registry:
    """One repository, asked through the engine: with its certificates, and our login.

    Args:
        engine: That asks and sends.
        to: The repository.
        access: The login.
        push: How often it is tried.
        announce: Told of what is tried again.
    """

    def __init__(
        self, engine: Engine, to: Destination, access: Access, push: Push, announce: Callable[[str], None]
    ) -> None:
        self._engine = engine
        self._to = to
        self._access = access
        self._push = push
        self._announce = announce
        self._sent = Sent()

    def digest(self, reference: str, what: str) -> str:
        """Return the digest that the registry has for a name, or nothing.

        Args:
            reference: By tag or by digest.
            what: What did not happen if it cannot be asked.

        Raises:
            DeployError: It does not answer, or does not let us in.
        """

        def ask() -> str:
            return self._engine.daemon.published(reference, login=self._access.login) or ""

        return self._tried(ask, what)

    def upload(self, tag: str) -> tuple[str, frozenset[str], frozenset[str]]:
        """Push the image that has a tag here; return its digest, the layers that were sent and those that were there.

        Raises:
            DeployError: The registry failed or refused it.
        """
        reference = self._to.tagged(tag)
        sent: set[str] = set()

        def attempt() -> tuple[str, set[str]]:
            digest, states = self._once(reference, sent)
            return digest, {each for each in states if each not in sent}

        digest, there = self._tried(attempt, f"{reference} was not pushed.")
        self._sent.tags.append(reference)
        return digest, frozenset(sent), frozenset(there)

    def _once(self, reference: str, sent: set[str]) -> tuple[str, dict[str, str]]:
        """Push once; return the digest and what was said of each layer, and note those that were sent."""
        states: dict[str, str] = {}
        digest = ""
        stream = self._engine.buildx.push(reference, seconds=self._push.wait, environment=self._access.environment)
        while True:
            try:
                line = next(stream)
            except StopIteration as end:
                done = end.value
                break
            if found := LAYER.match(line):
                if states.get(found["id"]) != found["state"]:
                    self._announce(f"layer {found['id']}: {'sent' if found['state'] == SENT else 'was there'}")
                states[found["id"]] = found["state"]
                if found["state"] == SENT:
                    sent.add(found["id"])
                    self._sent.layers.add(found["id"])
            elif found := END.match(line):
                digest = found["digest"]
        if not (done.ok and digest):
            raise EngineError(f"{reference} was not pushed.", last_useful_line(done.error or done.output), "")
        return digest, states

    def _tried(self, action: Callable[[], Answer], what: str) -> Answer:
        return retried(
            action, what, registry=self._to.registry, push=self._push, announce=self._announce, sent=self._sent
        )


def send(registry: Registry, to: Destination, tag: str, *, before: str, expected: str) -> Pushed:
    """Push under one tag, and see that the registry has what was pushed, by tag and by digest.

    Args:
        registry: Where to.
        to: Its repository.
        tag: An image of this engine has it already.
        before: The digest that the tag had in the registry.
        expected: The digest that it must have then; empty where the engine knows none.

    Raises:
        DeployError: It was not pushed, or the registry has something else then.
    """
    digest, sent, there = registry.upload(tag)
    reference = to.tagged(tag)
    what = f"{reference} was pushed and could not be read back."
    read = {name: registry.digest(name, what) for name in (reference, to.by(digest))}
    wrong = {name: found for name, found in read.items() if found != digest}
    if wrong or (expected and digest != expected):
        told = [
            f"{name} is {found or 'not there'}"
            for name, found in {**read, "The image here": expected}.items()
            if found != digest
        ]
        raise DeployError(
            f"The registry does not have what was pushed as {reference}.",
            "\n".join([f"Pushed was {digest}.", *told]),
            "Somebody else may push the same tag at this moment, or the registry is broken: do not deploy by this tag.",
        )
    return Pushed(tag=tag, digest=digest, before=before, sent=len(sent), there=len(there))
