"""The logs volume mounted in each way, and in ways in which nobody can write to it."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from dockyard.audit.observed import Exchange
from dockyard.audit.probes import web
from dockyard.audit.probes.logged import settled
from dockyard.audit.probes.session import mounted
from dockyard.audit.trials import LogFailure, Volume
from dockyard.errors import UnhealthyError
from dockyard.run.throwaway import as_in_production

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockyard.audit.probes.session import Change, Session
    from dockyard.plan import RunPlan
    from dockyard.smoke import Target

PREDICTIONS = 50
OK = 200
WRITE = """
import json, os, stat, sys
folder = sys.argv[1]
error, told = '', None
try:
    told = os.stat(folder)
    path = os.path.join(folder, '.dockyard-try')
    with open(path, 'x') as stream:
        stream.write('x')
    os.unlink(path)
except OSError as problem:
    error = problem.strerror or str(problem)
owner, mode = (f'{told.st_uid}:{told.st_gid}', f'{stat.S_IMODE(told.st_mode):04o}') if told else ('', '')
print(json.dumps([owner, mode, error]))
"""
# A file that was there before keeps the rest of its last page: hence so many predictions.
FILL = """
import errno, os, sys
stream = open(os.path.join(sys.argv[1], '.dockyard-fill'), 'ab', buffering=0)
try:
    while True:
        stream.write(b'x' * 1024)
except OSError as problem:
    if problem.errno != errno.ENOSPC:
        raise
"""


def volumes(session: Session) -> Mapping[str, object]:
    """Write as the container's user on an anonymous volume, a named one and the folder that `invoke run` makes."""
    target = session.settings.run.logs_target
    with session.volume() as name:
        ways: dict[str, Change] = {
            "anonymous": mounted,
            "named": lambda planned: mounted(planned, (name, target, "rw")),
            "bind": as_in_production,
        }
        found = tuple(_volume(session, kind, change) for kind, change in ways.items())
    return {"volumes": found}


def _volume(session: Session, kind: str, change: Change) -> Volume:
    with session.idle(change) as target:
        owner, mode, error = json.loads(session.python(target, WRITE, session.settings.run.logs_target))
    return Volume(kind=kind, owner=owner, mode=mode, error=error)


def log_failures(session: Session) -> Mapping[str, object]:
    """Serve with a logs folder of root's, a read-only one, and a full one."""
    folder = session.settings.run.logs_target

    def read_only(planned: RunPlan) -> RunPlan:
        return dataclasses.replace(planned, binds=dict.fromkeys(planned.binds, f"{folder}:ro"))

    def tiny(planned: RunPlan) -> RunPlan:
        uid, gid = planned.user.split(":")
        small = f"{folder}:rw,noexec,nosuid,nodev,size=16k,uid={uid},gid={gid}"
        return mounted(planned, tmpfs=[*planned.options()["tmpfs"], small])

    def fill(target: Target) -> None:
        session.python(target, FILL, folder)

    def nothing(_: Target) -> None:
        """Leave it as it is."""

    with session.volume(b"") as name:
        found = (
            _failure(session, "owned by root", lambda planned: mounted(planned, (name, folder, "rw")), nothing),
            _failure(session, "read-only", read_only, nothing),
            _failure(session, "full", tiny, fill),
        )
    return {"log_failures": found}


def _failure(session: Session, kind: str, change: Change, spoil: Callable[[Target], None]) -> LogFailure:
    """Ask for predictions and read what is said of the folder."""
    route, folder = session.settings.smoke.keyed_route, session.settings.run.logs_target
    body = json.dumps(session.golden().request).encode()
    try:
        with session.start(change) as target:
            spoil(target)
            answers = []
            for _ in range(PREDICTIONS):
                answers.append(web.predict(target, body, name=f"POST {route}, its logs folder {kind}"))
                session.pause(0.02)
            lines = settled(session, target)
            said = tuple(web.blotted(line, target) for line in lines if folder in line)
    except UnhealthyError as error:
        answers, said = [Exchange(request=f"start, its logs folder {kind}", status=0, answer=error.why)], ()
    return LogFailure(
        kind=kind, requests=PREDICTIONS, answer=max(answers, key=lambda each: each.status != OK), said=said
    )
