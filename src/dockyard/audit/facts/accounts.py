"""The accounts of an image, and which of them its processes get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import text

if TYPE_CHECKING:
    from dockyard.image import Image

PASSWD, GROUP, SHADOW = "/etc/passwd", "/etc/group", "/etc/shadow"
NO_LOGIN = ("nologin", "false", "sync", "halt", "shutdown")
FIELDS, GROUP_FIELDS = 7, 3


@dataclass(frozen=True, kw_only=True)
class Account:
    """A row of /etc/passwd; a number that is none is -1."""

    name: str
    password: str
    uid: int
    gid: int
    shell: str

    @property
    def can_log_in(self) -> bool:
        """Whether it has a login shell; an empty one means /bin/sh."""
        return self.shell.rpartition("/")[2] not in NO_LOGIN


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Who the image's processes are; None is a name that the image has no row for."""

    uid: int | None
    gid: int | None


def rows(image: Image, path: str) -> tuple[tuple[str, ...], ...] | None:
    """Return the rows of a table of accounts, or None if the image has no such file, or it was not kept."""
    content = image.read(path)
    if content is None:
        return None
    lines = content.decode("utf-8", "replace").splitlines()
    return tuple(tuple(line.split(":")) for line in lines if ":" in line and not line.startswith("#"))


def accounts(image: Image) -> tuple[Account, ...]:
    """Return the rows of /etc/passwd that have all their fields."""
    return tuple(
        Account(name=row[0], password=row[1], uid=number(row[2]), gid=number(row[3]), shell=row[6].strip())
        for row in rows(image, PASSWD) or ()
        if len(row) >= FIELDS
    )


def number(field: str) -> int:
    """Return digits as a number, and -1 for all else."""
    return int(field) if field.isascii() and field.isdigit() else -1


def runtime(image: Image) -> Runtime:
    """Return the uid and gid that Docker gives the processes: a uid without a row gets the group root."""
    user, _, group = text(image, "User").partition(":")
    known = accounts(image)
    row = next((each for each in known if user and user in (each.name, str(each.uid))), None)
    uid = number(user or "0")
    uid = row.uid if uid < 0 and row else uid
    gid = number(group) if group else row.gid if row else 0
    if gid < 0:
        named = (number(each[2]) for each in rows(image, GROUP) or () if len(each) >= GROUP_FIELDS and each[0] == group)
        gid = next(named, -1)
    return Runtime(uid=uid if uid >= 0 else None, gid=gid if gid >= 0 else None)
