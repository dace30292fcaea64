"""One step and what it was -> what changed in it alone, apart from the steps it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.explain.cause import Cause, Kind
from dockyard.explain.tables import Files, ignore_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.explain.nodes import Graph, Node
    from dockyard.explain.store import Store


class Changes:
    """Compares the steps of two builds one by one.

    Args:
        old: The older build.
        new: The newer build.
        store: Where the tables of files are.
    """

    def __init__(self, old: Graph, new: Graph, store: Store) -> None:
        self._store = store
        self._secrets = old.secrets, new.secrets
        self._files = Files(ignore_of(old.ignore), ignore_of(new.ignore), store.text)

    def of(self, was: Node, now: Node) -> list[Cause]:
        """Return every change of one step; UNKNOWN if there is one that none of them explains."""
        if now.parts == was.parts and now.apart == was.apart:
            return []
        found = list(self._base(was, now) if now.keyword == "FROM" else self._all(was, now))
        return found or [Cause(kind=Kind.UNKNOWN, subject=now.printed)]

    def _all(self, was: Node, now: Node) -> Iterator[Cause]:
        yield from _edits(was, now)
        yield from _values(was, now)
        yield from self._taken(was, now)
        yield from self._marked(was, now)
        yield from _surroundings(was, now)

    def _taken(self, was: Node, now: Node) -> Iterator[Cause]:
        """Yield what changed in the files, source by source; other sources are another matter."""
        if _sources(was) != _sources(now):
            return
        before, after = was.parts.get("files", []), now.parts.get("files", [])
        for old, new in zip(before, after, strict=False):
            if old == new:
                continue
            table, table_now = self._store.table(old), self._store.table(new)
            causes = self._files.changes(table, table_now) if table is not None and table_now is not None else []
            yield from causes or [Cause(kind=Kind.FILES, subject=now.printed)]

    def _marked(self, was: Node, now: Node) -> Iterator[Cause]:
        """Yield which secrets have another mark in the key, of those that are mounted as before."""
        before, after = was.parts.get("marks", {}), now.parts.get("marks", {})
        for name in sorted({*was.told.get("secrets", ())} & {*now.told.get("secrets", ())}):
            if before.get(name) != after.get(name):
                what = self._became(name, marked_before=name in before, marked=name in after)
                yield Cause(kind=Kind.SECRET, subject=name, origin=what)

    def _became(self, name: str, *, marked_before: bool, marked: bool) -> str:
        """Return what became of a secret whose mark is another one."""
        old, new = (each.get(name) for each in self._secrets)
        if new is None or old is None:
            return "gone" if new is None else "given"
        if not marked:
            return "off"
        if old != new:
            return "changed"
        return "lost" if marked_before else "on"

    @staticmethod
    def _base(was: Node, now: Node) -> Iterator[Cause]:
        if was.told["reference"].partition("@")[0] != now.told["reference"].partition("@")[0]:
            yield from _values(was, now)
            yield Cause(
                kind=Kind.BASE, subject=now.text.removeprefix("FROM "), line=now.line,
                before=was.told["reference"], after=now.told["reference"],
            )  # fmt: skip
        elif was.parts["platform"] != now.parts["platform"]:
            yield Cause(kind=Kind.PLATFORM, before=was.parts["platform"], after=now.parts["platform"])
        else:
            yield Cause(
                kind=Kind.BASE, subject=now.told["reference"].partition("@")[0],
                before=was.parts["digest"], after=now.parts["digest"],
            )  # fmt: skip


def _edits(was: Node, now: Node) -> Iterator[Cause]:
    """Yield how an instruction's own text changed."""
    if was.text == now.text:
        unlike = now.keyword == "RUN" and was.parts["command"][1:] != now.parts["command"][1:]
        if unlike and len(was.parts["command"]) == len(now.parts["command"]):
            yield Cause(kind=Kind.BLANKS, subject=now.printed, line=now.line)
        return
    head, old_head = now.text.partition("\n")[0], was.text.partition("\n")[0]
    kind = Kind.HEREDOC if head == old_head and "<<" in head else Kind.EDITED
    if now.keyword == "RUN" or _own(was) != _own(now):
        yield Cause(kind=kind, subject=now.printed, before=was.text, after=now.text, line=now.line)


def _sources(node: Node) -> list[Any]:
    """Return what a step names of the context."""
    binds = (each for each in node.parts.get("mounts", ()) if each["type"] == "bind" and not each["from"])
    return [node.parts.get("sources"), *(each["source"] for each in binds)]


def _own(node: Node) -> list[Any]:
    return [node.apart, *map(node.parts.get, ("sources", "target", "flags", "bodies", "folder", "images"))]


def _values(was: Node, now: Node) -> Iterator[Cause]:
    """Yield which variables changed, of those that the instruction sees."""
    before, after = was.told.get("values", {}), now.told.get("values", {})
    gone = [name for name in before if name not in after]
    # An instruction that was edited may name others now: that is the edit.
    names = [*after, *gone] if was.text == now.text else [name for name in after if name in before]
    for name in names:
        old, new = before.get(name), after.get(name)
        if (old and old[0]) == (new and new[0]):
            continue
        _, origin, line, given = new or old
        kind = Kind.VARIABLE if origin in ("ENV", "base") else Kind.ARGUMENT
        yield Cause(
            kind=kind,
            subject=name,
            before=old[0] if old else "",
            after=new[0] if new else "",
            line=line if new else 0,
            origin="build argument" if given else origin,
        )


def _surroundings(was: Node, now: Node) -> Iterator[Cause]:
    """Yield what else a command is run with."""
    before, after = was.parts, now.parts
    if before.get("user") != after.get("user"):
        line = now.told["user_line"]
        yield Cause(kind=Kind.USER, before=before["user"] or "root", after=after["user"] or "root", line=line)
    if was.told.get("shell") != now.told.get("shell") and before["command"][0] != after["command"][0]:
        yield Cause(kind=Kind.SHELL, before=" ".join(was.told["shell"]), after=" ".join(now.told["shell"]))
    if before.get("folder") != after.get("folder") and was.text == now.text:
        yield Cause(kind=Kind.FOLDER, before=before["folder"], after=after["folder"])
    if before.get("platform") != after.get("platform"):
        yield Cause(kind=Kind.PLATFORM, before=before["platform"], after=after["platform"])
    for name, digest in after.get("images", {}).items():
        if before.get("images", {}).get(name, digest) != digest:
            yield Cause(kind=Kind.BASE, subject=name, before=before["images"][name], after=digest)
    same = sorted(before.get("variables", ())) == sorted(after.get("variables", ()))
    if same and before.get("variables") != after.get("variables"):
        yield Cause(kind=Kind.VARIABLE, subject="", origin="order")
