"""What is seen from within a running container, and of it by the engine: confinement, processes, sockets, writes."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dockyard import smoke
from dockyard.audit.observed import Change, Process, Ran, Write, Zombies
from dockyard.engines.sockets import listening
from dockyard.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard.audit.probes.session import Session
    from dockyard.engines.sockets import Socket

CHECKS = 20
AT_ONCE = 4
SHOWN_REFUSALS = 40

CONFINEMENT = """
import json
told = {}
for line in open('/proc/1/status'):
    name, _, value = line.partition(':')
    told[name] = value.strip()
for line in open('/proc/1/limits'):
    told[line[:26].strip()] = line[26:47].strip()
try:
    told['AppArmor'] = open('/proc/1/attr/current').read().strip()
except OSError:
    told['AppArmor'] = ''
print(json.dumps(told))
"""
# Read within: the engine lists the members of a control group, and a zombie is in none.
PROCESSES = """
import json, os
found = []
for pid in filter(str.isdigit, os.listdir('/proc')):
    try:
        told = dict(line.split(':', 1) for line in open(f'/proc/{pid}/status') if ':' in line)
        command = open(f'/proc/{pid}/cmdline').read().replace('\\0', ' ').strip()
    except OSError:
        continue
    name = command or '[' + told['Name'].strip() + ']'
    if int(pid) != os.getpid():
        found.append([int(pid), int(told['Uid'].split()[0]), told['State'].split()[0], name])
print(json.dumps(found))
"""
# A file that can be opened to append is writable: nothing is changed to find out.
WRITES = """
import json, os, sys, sysconfig
work, allowed, tried = sys.argv[1], json.loads(sys.argv[2]), []
def inside(path):
    return any(path == each or path.startswith(each.rstrip('/') + '/') for each in allowed)
def attempt(path):
    target = path
    try:
        if os.path.isdir(path):
            target = os.path.join(path, '.dockyard-try')
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            os.unlink(target)
        else:
            os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
        error = ''
    except OSError as problem:
        error = problem.strerror or str(problem)
    tried.append((path, error))
paths = ['/', '/etc', '/usr/local/bin', '/var/tmp', sys.prefix, sysconfig.get_path('purelib')]
if work not in ('', '/'):
    for folder, names, files in os.walk(work):
        names[:] = [each for each in names if not inside(os.path.join(folder, each))]
        paths += [folder, *(os.path.join(folder, each) for each in files)]
        if len(paths) > 5000:
            break
for path in [*dict.fromkeys(paths), *allowed]:
    if os.path.lexists(path) and (path in allowed or not inside(path)):
        attempt(path)
print(json.dumps(tried))
"""


def inspect(session: Session, target: smoke.Target) -> Mapping[str, Any]:
    """Return the whole answer of `docker inspect`."""
    return session.look(target).inspect()


def processes(session: Session, target: smoke.Target) -> tuple[Process, ...]:
    """Return every process."""
    rows = session.look(target).processes()
    return tuple(Process(pid=pid, uid=uid, state=state[:1], command=command) for pid, uid, state, command in rows)


def confinement(session: Session, target: smoke.Target) -> Mapping[str, str]:
    """Return what the kernel says of the first process: its status, its soft limits, its AppArmor profile."""
    told: dict[str, str] = json.loads(session.python(target, CONFINEMENT))
    return told


def sockets(session: Session, target: smoke.Target) -> tuple[Socket, ...]:
    """Return the listening sockets."""
    found = listening(session.look(target), target.facts)
    if found is None:
        raise EngineError(
            "The listening sockets could not be read.",
            "The image has neither `cat` nor `python3` to read /proc/net/tcp with.",
            "Run the audit on the engine's own host, where that file can be read without them.",
        )
    return found


def smoked(_: Session, target: smoke.Target) -> tuple[smoke.Result, ...]:
    """Return the smoke probes' results."""
    return smoke.probe(target)


def written(session: Session, target: smoke.Target) -> tuple[Change, ...]:
    """Return what its file system was changed in."""
    return tuple(Change(kind=kind, path=path) for kind, path in session.look(target).changes())


def writes(session: Session, target: smoke.Target) -> tuple[Write, ...]:
    """Try to write into every folder and file of the working directory, and where else harm could be done."""
    told = session.look(target).inspect()
    host = told["HostConfig"]
    mounted = [each["Destination"] for each in told.get("Mounts") or () if each.get("RW")]
    allowed = [*mounted, *(host.get("Tmpfs") or {}), session.settings.run.logs_target, *session.settings.audit.writable]
    workdir = told["Config"].get("WorkingDir") or ""
    tried = json.loads(session.python(target, WRITES, workdir, json.dumps(list(dict.fromkeys(allowed)))))
    attempts = [Write(path=path, error=error, allowed=path in allowed) for path, error in tried]
    refused = [each for each in attempts if each.error and not each.allowed]
    return (*(each for each in attempts if each not in refused), *refused[:SHOWN_REFUSALS])


def health_command(told: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the health check that an inspect answer names, as arguments; nothing where there is none."""
    kind, *words = (told["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
    if kind == "CMD-SHELL":
        return ("/bin/sh", "-c", *words)
    return tuple(words) if kind == "CMD" else ()


def check(session: Session, target: smoke.Target, *, seconds: float) -> Ran:
    """Run the image's own health check once; code 124 if it does not end in time, as timeout(1) has it."""
    command = health_command(session.look(target).inspect())
    if not command:
        raise EngineError("There is no health check to run.", "The image has no HEALTHCHECK.", "Write one.")
    begun = time.monotonic()
    try:
        done = session.look(target).execute(command, seconds=seconds)
    except EngineError:
        said = f"It did not end within {seconds:g} s."
        return Ran(command=" ".join(command), code=124, output=said, seconds=time.monotonic() - begun)
    return Ran(
        command=" ".join(command),
        code=done.code,
        output=(done.output or done.error).strip(),
        seconds=time.monotonic() - begun,
    )


def zombies(session: Session, target: smoke.Target) -> Zombies:
    """Run the health check many times, a few at once, and list the processes that are left, the dead ones too."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: check(session, target, seconds=30), range(CHECKS)))
    session.pause(0.5)
    rows = json.loads(session.python(target, PROCESSES))
    left = tuple(Process(pid=pid, uid=uid, state=state, command=command) for pid, uid, state, command in rows)
    return Zombies(checks=CHECKS, processes=left)
