"""RT-01, RT-02, RT-03: what the container cannot do, and that the service works all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.running import host, listed, mounts, option, works
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.observed import Change, Write
    from dockyard.audit.verdict import Proof
    from dockyard.smoke import Result

SHOWN = 10
CAPABILITIES = ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")
FILTERED = "2"


class ReadOnly(Rule):
    """The service works on a read-only root file system, and can write nothing but what is mounted for it.

    Who takes the process over can then not replace its code, plant a program or change what the next start reads.

    Remedy: `--read-only` with `--tmpfs /tmp`, and a mount for each folder that the service must write; give the
    service the variable or the code that keeps everything else out of the image's folders.
    """

    id = "RT-01"
    title = "Read-only root file system"
    severity = Severity.HIGH
    references = ("CIS 5.13", "OWASP Docker 8", "ANSSI R12", "ANSSI R13", "NIST 800-190 4.4.4")

    @part
    def flag(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """The engine was asked for it."""
        value = host(inspect).get("ReadonlyRootfs")
        prove = holds if value is True else broken
        yield prove(f"ReadonlyRootfs is {value}", option("ReadonlyRootfs"))

    @part
    def working(self, smoke: tuple[Result, ...]) -> Iterator[Proof]:
        """The service works so."""
        yield from works(smoke)

    @part
    def unchanged(self, inspect: Mapping[str, Any], written: tuple[Change, ...]) -> Iterator[Proof]:
        """Nothing outside of the mounts was changed; the engine itself makes the folders that it mounts on."""
        folders = [str(each["Destination"]) for each in mounts(inspect) if each.get("Destination")]
        folders += list(host(inspect).get("Tmpfs") or {})
        stray = [
            each
            for each in written
            if not any(f"{one}/".startswith(f"{each.path}/") or each.path.startswith(f"{one}/") for one in folders)
        ]
        for each in stray[:SHOWN]:
            yield broken(f"{each.path} was {each.kind} in the container", Place(subject=f"docker diff: {each.path}"))
        if not stray:
            yield holds(f"`docker diff` names nothing outside of {', '.join(folders) or 'the mounts'}")

    @part
    def refused(self, writes: tuple[Write, ...]) -> Iterator[Proof]:
        """Attempts to write fail, but where writing is wanted."""
        succeeded = [each for each in writes if not each.allowed and not each.error]
        for each in succeeded[:SHOWN]:
            yield broken(f"the container's user can write {each.path}", Place(subject=each.path))
        for each in writes:
            if each.allowed and each.error:
                yield broken(f"the container's user can not write {each.path}: {each.error}", Place(subject=each.path))
        refused = sum(not each.allowed and bool(each.error) for each in writes)
        if refused and not succeeded:
            allowed = ", ".join(each.path for each in writes if each.allowed) or "nothing"
            yield holds(f"{refused} attempts to write were refused; what can be written: {allowed}")
        elif not refused and not succeeded:
            yield unknown("no attempt to write was made")


class NoCapabilities(Rule):
    """The service works without any capability.

    A service on a port above 1023 needs none of root's rights; Docker gives fourteen of them unless told otherwise.

    Remedy: `--cap-drop ALL`, and no `--cap-add`.
    """

    id = "RT-02"
    title = "No capability"
    severity = Severity.HIGH
    references = ("CIS 5.4", "OWASP Docker 3", "PSS restricted", "ANSSI R8")

    @part
    def flags(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """The engine was asked to drop all and to add none."""
        dropped = {str(each).upper().removeprefix("CAP_") for each in listed(host(inspect).get("CapDrop"))}
        told = ", ".join(sorted(dropped)) or "nothing"
        yield (holds if "ALL" in dropped else broken)(f"CapDrop is {told}, wanted is ALL", option("CapDrop"))
        added = listed(host(inspect).get("CapAdd"))
        if added:
            yield broken(f"CapAdd is {', '.join(map(str, added))}, wanted is nothing", option("CapAdd"))

    @part
    def kernel(self, confinement: Mapping[str, str]) -> Iterator[Proof]:
        """The kernel agrees."""
        for name in CAPABILITIES:
            value = confinement.get(name, "")
            place = Place(subject=f"/proc/1/status: {name}")
            if not value:
                yield unknown(f"the kernel says nothing of {name}", place)
            else:
                yield (broken if value.strip("0") else holds)(f"{name} is {value}", place)

    @part
    def working(self, smoke: tuple[Result, ...]) -> Iterator[Proof]:
        """The service works so."""
        yield from works(smoke)


class NoNewPrivileges(Rule):
    """No process of the container can gain privileges, and its system calls are filtered.

    A setuid file that slipped into the image is then harmless, and three hundred system calls, of which a kernel flaw
    may be one, cannot be reached.

    Remedy: `--security-opt no-new-privileges`; leave Docker's seccomp and AppArmor profiles on, or give stricter ones.
    """

    id = "RT-03"
    title = "No new privileges, seccomp and AppArmor on"
    severity = Severity.HIGH
    references = ("CIS 5.2", "CIS 5.22", "CIS 5.26", "OWASP Docker 4", "OWASP Docker 6", "PSS restricted")

    @part
    def flags(self, inspect: Mapping[str, Any]) -> Iterator[Proof]:
        """No profile was switched off."""
        options = [str(each) for each in listed(host(inspect).get("SecurityOpt"))]
        place = option("SecurityOpt")
        loose = [each for each in options if "unconfined" in each or each.endswith(("=disable", ":disable"))]
        for each in loose:
            yield broken(f"SecurityOpt has {each}", place)
        if not loose:
            yield holds(f"SecurityOpt is {', '.join(options) or 'empty'}", place)

    @part
    def kernel(self, confinement: Mapping[str, str]) -> Iterator[Proof]:
        """The kernel says so of the first process, of which all others come."""
        for name, wanted in (("NoNewPrivs", "1"), ("Seccomp", FILTERED)):
            value, place = confinement.get(name, ""), Place(subject=f"/proc/1/status: {name}")
            if not value:
                yield unknown(f"the kernel says nothing of {name}", place)
            else:
                yield (holds if value == wanted else broken)(f"{name} is {value}, wanted is {wanted}", place)
        profile = confinement.get("AppArmor", "")
        if profile:
            place = Place(subject="/proc/1/attr/current")
            yield (broken if profile.startswith("unconfined") else holds)(f"AppArmor profile is {profile}", place)

    @part
    def working(self, smoke: tuple[Result, ...]) -> Iterator[Proof]:
        """The service works so."""
        yield from works(smoke)
