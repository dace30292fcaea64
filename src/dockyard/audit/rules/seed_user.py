"""SEED-01: who the service's processes are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard.audit.facts.accounts import PASSWD, accounts, number, runtime
from dockyard.audit.facts.configured import key, ours, text
from dockyard.audit.facts.instructions import last, on, shipped
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.observed import Process
    from dockyard.audit.verdict import Proof
    from dockyard.dockerfile import Dockerfile
    from dockyard.image import Image
    from dockyard.settings import Settings


class NumericUser(Rule):
    """The service runs as the wanted user, named by numbers, with a group that is not root's and no login shell.

    A process that is root in its container needs one flaw of the kernel to be root on the host. Kubernetes cannot tell
    that a *name* is not root, and refuses such an image under `runAsNonRoot`. The group counts as the user does: with
    `0:0`, `1000:0` or a bare `1000` without a row in /etc/passwd, the process belongs to the group root, and writes
    what that group may. For an image that is not this project's, any uid but 0 will do.

    Remedy: `USER 1000:1000` after the last RUN of the final stage, and a row
    `appuser:x:1000:1000::/nonexistent:/usr/sbin/nologin` in /etc/passwd.
    """

    id = "SEED-01"
    title = "Numeric non-root user"
    severity = Severity.HIGH
    references = (
        "CIS 4.1", "dockle CIS-DI-0001", "hadolint DL3002", "hadolint DL3066", "Trivy DS-0002", "OWASP Docker 2",
        "PSS restricted", "NIST 800-190 4.1.2",
    )  # fmt: skip

    @part
    def instruction(self, dockerfile: Dockerfile, settings: Settings) -> Iterator[Proof]:
        """The last USER of the shipped stage counts."""
        instructions = shipped(dockerfile, settings)
        user = last(instructions, "USER")
        if user is None:
            stage = instructions[0]
            yield broken("The final stage has no USER, so that of its base counts", on(dockerfile, stage))
            return
        yield _judged(" ".join(user.expanded), on(dockerfile, user), "USER")

    @part
    def configured(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """What the engine starts with."""
        user = text(image, "User")
        yield _judged(user, key("User"), "Config.User")
        found, wanted = runtime(image), number(settings.run.user.partition(":")[0])
        if found.gid in (0, None):
            yield broken(f"Config.User is `{user}`: its group is {'root' if found.gid == 0 else 'none'}", key("User"))
        if ours(image, settings) and found.uid not in (0, wanted):
            yield broken(f"Config.User is `{user}`: uid {wanted} is wanted", key("User"))

    @part
    def account(self, image: Image) -> Iterator[Proof]:
        """The user has a row, and it cannot log in."""
        uid, place = runtime(image).uid, Place(subject=PASSWD)
        if PASSWD in image.files and image.read(PASSWD) is None:
            yield unknown(f"{PASSWD} could not be read", place)
            return
        rows = [row for row in accounts(image) if row.uid == uid]
        if not rows:
            yield broken(f"{PASSWD} has no row for uid {uid}", place)
        for row in rows:
            told = f"{PASSWD}: {row.name} has uid {row.uid} and the shell `{row.shell}`"
            yield broken(f"{told}: a login shell", place) if row.can_log_in else holds(told, place)

    @part
    def processes(self, processes: tuple[Process, ...], settings: Settings) -> Iterator[Proof]:
        """Whatever the configuration says, this is what runs."""
        wanted = number(settings.run.user.partition(":")[0])
        if not processes:
            yield unknown("No process of the container was seen")
        for each in processes:
            told = f"Process {each.pid}, `{each.command[:60]}`, has uid {each.uid}"
            place = Place(subject=f"process {each.pid}")
            good = each.uid == wanted and each.uid != 0
            yield holds(told, place) if good else broken(f"{told}; {wanted} is wanted", place)


def _judged(user: str, place: Place, where: str) -> Proof:
    """Judge a user as it is written."""
    uid, colon, gid = user.partition(":")
    if not user or user in ("root", "0") or number(uid) == 0 or uid == "root":
        return broken(f"{where} is `{user}`: root", place)
    if number(uid) < 0 or (colon and number(gid) < 0):
        return broken(f"{where} is `{user}`: a name, where Kubernetes wants a number", place)
    if colon and number(gid) == 0:
        return broken(f"{where} is `{user}`: its group is root", place)
    return holds(f"{where} is `{user}`", place)
