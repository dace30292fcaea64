"""IMG-05, IMG-06, IMG-07 and IMG-10: what is in the image and does not serve, its accounts, and what it costs."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from dockyard.audit.facts.accounts import GROUP, GROUP_FIELDS, PASSWD, SHADOW, accounts, number, rows
from dockyard.audit.facts.configured import at
from dockyard.audit.facts.hidden import hidden_by
from dockyard.audit.facts.programs import programs
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown
from dockyard.units import amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.verdict import Proof
    from dockyard.image import Entry, Image
    from dockyard.settings import Settings

LEFTOVERS = {
    "lists of apt": r"/var/lib/apt/lists/(?!lock$|partial$).+",
    "packages that were installed": r"/var/cache/apt/archives/.+\.deb|/.+\.(deb|apk|rpm)",
    "a package manager's cache": r"/var/cache/(apt/\w+\.bin|apk/.+|yum/.+|dnf/.+)|/.*/\.npm/_cacache/.+",
    "an installer's cache": r"/.*/\.cache/(pip|uv|pypoetry|pdm|pre-commit)/.+|/.+/node_modules/\.cache/.+",
    "a repository": r"/.*/\.(git|svn|hg|bzr)/.+|/\.git/.+",
    "tests": r"/.+/(site|dist)-packages/tests?/.+|/(app|srv|code|src|opt/app)/(.+/)?tests?/.+",
    "caches of checks": r"/.*\.(pytest|mypy|ruff)_cache/.+|/.*/\.(tox|nox)/.+|/.*/\.coverage(\..+)?",
    "files of the build": r"(?!/usr/|.*-packages/).*/"
    r"(Dockerfile[^/]*|docker-compose[^/]*\.ya?ml|\.dockerignore|\.gitlab-ci\.yml|Jenkinsfile)",
    "an editor's files": r"/.*/\.(idea|vscode)/.+|/.*(\.swp|\.swo|~|/\.DS_Store|/Thumbs\.db)",
    "temporary files": r"/(var/)?tmp/.+",
}  # fmt: skip
KINDS = {kind: re.compile(regex) for kind, regex in LEFTOVERS.items()}
INVENTORY = {
    "shells": re.compile(r"sh|bash|dash|ash|zsh|ksh|busybox"),
    "interpreters": re.compile(r"perl\d*[\d.]*|python[\d.]*|ruby|node|lua[\d.]*|php|tclsh|g?awk|mawk"),
    "package managers": re.compile(r"apt|apt-get|dpkg|apk|yum|dnf|microdnf|rpm|pip[\d.]*|uv|npm|conda"),
}
ALWAYS = re.compile(r"python[\d.]*")
LOCKED = re.compile(r"[!*].*|x")
UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
DUPLICATES = {PASSWD: "uid", GROUP: "gid"}


class NoLeftovers(Rule):
    """No layer holds what only the build, or nobody, needed: lists and caches, packages, repositories, tests.

    It makes each pull longer and tells an intruder of the build. What a later RUN deletes is still sent: it is counted
    in the layer that has it.

    Remedy: delete in the RUN that makes it (`rm -rf /var/lib/apt/lists/*`), keep caches in `--mount=type=cache`, keep
    repositories and tests out of the context, and copy only what is needed into the final stage.
    """

    id = "IMG-05"
    title = "No leftovers of the build"
    severity = Severity.LOW
    references = ("dockle DKL-DI-0005", "dockle DKL-LI-0003", "hadolint DL3009")

    @part
    def layers(self, image: Image) -> Iterator[Proof]:
        """Every layer's files by their path."""
        count = 0
        for layer in image.layers:
            found: dict[str, list[Entry]] = {}
            for path, entry in layer.entries.items():
                kind = _leftover(path) if entry.is_file and entry.size else None
                if kind:
                    found.setdefault(kind, []).append(entry)
            for kind, entries in found.items():
                count += 1
                yield broken(_told(image, layer.index, kind, entries), at(max(entries, key=lambda each: each.size)))
        if not count:
            yield holds(f"No leftovers in {len(image.layers)} layers")


def _leftover(path: str) -> str | None:
    return next((kind for kind, regex in KINDS.items() if regex.fullmatch(path)), None)


def _told(image: Image, layer: int, kind: str, entries: list[Entry]) -> str:
    largest = max(entries, key=lambda each: each.size)
    told = amount(sum(each.size for each in entries))
    hidden = all(hidden_by(image, layer, each.path) is not None for each in entries)
    fate = ", deleted later and still sent" if hidden else ""
    return f"Layer {layer} has {kind}: {len(entries)} file(s), {told}{fate}, for instance {largest.path}"


class Inventory(Rule):
    """Shells, interpreters and package managers of the image are known, and absent where the policy says so.

    Each is a tool for who gets in. With `shells = "slim"`, the default, they are listed, so that the next audit shows
    what came in; with `distroless` they are forbidden, but for the Python that serves.

    Remedy: choose a distroless base and `shells = "distroless"`, or remove in the final stage what the service does not
    start; `pip` can go with `python -m pip uninstall --yes pip`.
    """

    id = "IMG-06"
    title = "Shells and package managers inventoried"
    severity = Severity.LOW
    references = ("CIS 4.3",)

    @part
    def found(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """PATH and every bin folder."""
        for kind, regex in INVENTORY.items():
            entries = sorted((entry for entry, _ in programs(image, regex)), key=lambda each: each.path)
            bad = [entry for entry in entries if not ALWAYS.fullmatch(entry.path.rpartition("/")[2])]
            if settings.audit.shells == "slim" or not bad:
                names = ", ".join(entry.path for entry in entries)
                yield holds(f"{kind.capitalize()}: {names or 'none'}")
            else:
                yield from (broken(f"{entry.path} is one of the {kind}", at(entry)) for entry in bad)


class Accounts(Rule):
    """Every account of the image is locked, and no two share a number; only root has uid 0.

    An account with an empty password is open to whoever can call `su`; one with a hash in the image has a password that
    everybody can guess at leisure. A second name for uid 0 is root under another name.

    Remedy: `passwd --lock NAME` or a `!` in /etc/shadow; give each account and each group its own number.
    """

    id = "IMG-07"
    title = "Accounts locked and distinct"
    severity = Severity.MEDIUM
    references = ("dockle DKL-LI-0001", "dockle DKL-LI-0002")

    @part
    def passwords(self, image: Image) -> Iterator[Proof]:
        """Both files can hold a password."""
        listed = [(PASSWD, account.name, account.password) for account in accounts(image)]
        listed += [(SHADOW, row[0], row[1]) for row in rows(image, SHADOW) or () if len(row) > 1]
        bad = [each for each in listed if not LOCKED.fullmatch(each[2])]
        for path, name, password in bad:
            told = "has a password's hash" if password else "has an empty password"
            yield broken(f"{path}: {name} {told}", Place(subject=path))
        yield from _unread(image, PASSWD, SHADOW)
        if not bad:
            yield holds(f"None of {len(listed)} entries has a password", Place(subject=SHADOW))

    @part
    def numbers(self, image: Image) -> Iterator[Proof]:
        """Numbers, names, and root's."""
        known = accounts(image)
        groups = [row for row in rows(image, GROUP) or () if len(row) >= GROUP_FIELDS]
        numbered = {PASSWD: [each.uid for each in known], GROUP: [number(row[2]) for row in groups]}
        clean = True
        for path, found in numbered.items():
            for each, count in Counter(found).items():
                if count > 1:
                    clean = False
                    yield broken(f"{path}: {count} rows have the {DUPLICATES[path]} {each}", Place(subject=path))
        for account in known:
            if account.uid == 0 and account.name != "root":
                clean = False
                yield broken(f"{PASSWD}: {account.name} has the uid 0", Place(subject=PASSWD))
        yield from _unread(image, PASSWD, GROUP)
        if clean:
            yield holds(
                f"{len(known)} accounts and {len(groups)} groups, each with its own number", Place(subject=PASSWD)
            )


def _unread(image: Image, *paths: str) -> Iterator[Proof]:
    yield from (
        unknown(f"{path} could not be read") for path in paths if path in image.files and image.read(path) is None
    )


class Budget(Rule):
    """The image keeps to its budget of bytes, layers and waste.

    Size is what each node pulls before it can start the service; waste is what it pulls and never sees, because a later
    layer deletes or replaces it. The largest file is named, since it is where to begin.

    Remedy: `docker history` and the largest files show where it goes; delete in the RUN that writes, copy only results
    from the builder; or raise `max_size`, `max_layers` or `max_waste` of [tool.dockyard.audit], if it is worth it.
    """

    id = "IMG-10"
    title = "Within the budget of size, layers and waste"
    severity = Severity.LOW
    references = ("dive: efficiency and wasted bytes",)

    @part
    def spent(self, image: Image, settings: Settings) -> Iterator[Proof]:
        """Sum up the layers."""
        audit = settings.audit
        wasted = [each.entry for each in image.removed() if each.entry.kind == "file"]
        files = (entry for entry in image.files.values() if entry.kind == "file")
        largest = max(files, key=lambda each: each.size, default=None)
        named = f"; the largest file is {largest.path} with {amount(largest.size)}" if largest else ""
        total, waste = sum(layer.size for layer in image.layers), sum(entry.size for entry in wasted)
        place = at(largest) if largest else Place(subject="layers")
        yield _within(total, audit.max_size, f"The image has {amount(total)}", named, place)
        top = max(wasted, key=lambda each: each.size, default=None)
        named = f"; most is {top.path} with {amount(top.size)}" if top else ""
        place = at(top) if top else Place(subject="layers")
        yield _within(waste, audit.max_waste, f"{amount(waste)} are deleted or replaced later", named, place)
        count = len(image.layers)
        told, place = f"{count} layers, at most {audit.max_layers} wanted", Place(subject="rootfs.diff_ids")
        yield holds(told, place) if count <= audit.max_layers else broken(told, place)


def _within(count: int, limit: str, told: str, named: str, place: Place) -> Proof:
    allowed = int(limit[:-1]) * UNITS[limit[-1]]
    sentence = f"{told}, at most {limit} ({amount(allowed)}) wanted{named}"
    return holds(sentence, place) if count <= allowed else broken(sentence, place)
