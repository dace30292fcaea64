"""A good service, as every piece of evidence that its audit could gather; cases change one thing of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from dockyard.audit.observed import Exchange, Leak, Process, Ran, Write
from dockyard.audit.read import BaseFacts, Sources
from dockyard.audit.trials import HealthCheck, Keys, SecretTrial, Volume
from dockyard.dockerfile import parse
from dockyard.image import Entry, HistoryStep, Image, Layer, Match
from dockyard.revision import Revision
from dockyard.settings import Settings
from dockyard.settings.audits import Audit
from dockyard.smoke import Result

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST = f"sha256:{'ab' * 32}"
CONTRACT = """\
from dataclasses import dataclass, field

@dataclass
class Settings:
    api_key: str = field(default="", metadata={"secret": True})
    api_key_file: str = ""
    health_timeout: float = 3.0
    port: int = 8000
"""
CHECK = """\
import http.client, os, sys
connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=float(3))
connection.request("GET", "/ready")
sys.exit(connection.getresponse().status != 200)
"""
DOCKERFILE = """\
ARG BASE_IMAGE=python:3.12-slim-bookworm
FROM ${BASE_IMAGE} AS builder
WORKDIR /build
COPY service.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip install -r service.txt --target /opt/venv
FROM ${BASE_IMAGE} AS runner
RUN install --directory --owner=1000 --group=1000 /app/logs
COPY --from=builder /opt/venv /opt/venv
WORKDIR /app
COPY service service
ENV PORT=8000
USER 1000:1000
VOLUME ["/app/logs"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-m", "service.check"]
CMD ["python", "-m", "service"]
"""
STEPS = (
    "RUN /bin/sh -c install", "COPY /opt/venv /opt/venv", "WORKDIR /app", "COPY service", "ENV PORT=8000",
    "USER 1000:1000", "VOLUME [/app/logs]", "EXPOSE map[8000/tcp:{}]", "HEALTHCHECK &{}", 'CMD ["python"]',
)  # fmt: skip
LABELS = {
    "title": "shop", "version": "1.0", "revision": COMMIT, "source": "https://git.example/shop",
    "created": "2026-11-01T12:00:00Z", "licenses": "Apache-2.0 OR MIT", "base.name": "python:3.12-slim-bookworm",
    "base.digest": DIGEST,
}  # fmt: skip
CONFIG = {
    "User": "1000:1000",
    "ExposedPorts": {"8000/tcp": {}},
    "Env": [
        "PATH=/usr/local/bin:/usr/bin", "LANG=C.UTF-8", "GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305",
        "API_KEY_FILE=/run/secrets/api_key", "HEALTH_TIMEOUT=3", "PORT=8000",
    ],
    "Cmd": ["python", "-m", "service"],
    "Entrypoint": None,
    "Healthcheck": {
        "Test": ["CMD", "python", "-m", "service.check"], "Interval": 10_000_000_000, "Timeout": 5_000_000_000,
        "StartPeriod": 30_000_000_000, "Retries": 3,
    },
    "Volumes": {"/app/logs": {}},
    "WorkingDir": "/app",
    "Labels": {f"org.opencontainers.image.{name}": value for name, value in LABELS.items()},
}  # fmt: skip
SETTINGS = Settings(
    root=Path("/project"), image="shop", version="1.0", audit=Audit(contract="settings.py:Settings", sources="service")
)


@dataclass(frozen=True)
class File:
    """A file to put into a layer."""

    content: str = "x"
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    kind: str = "file"
    target: str = ""
    capability: bytes = b""
    size: int | None = None


def folder(mode: int = 0o755, uid: int = 0) -> File:
    """A folder."""
    return File(kind="directory", mode=mode, uid=uid, gid=uid, content="")


def link(target: str) -> File:
    """A symbolic link."""
    return File(kind="symlink", mode=0o777, target=target, content="")


def program(content: str = "\x7fELF", mode: int = 0o755) -> File:
    """Something that can be started."""
    return File(content, mode)


PASSWD = "root:x:0:0:root:/root:/bin/bash\nappuser:x:1000:1000::/nonexistent:/usr/sbin/nologin\n"
PACKAGES = "Package: bash\nStatus: install ok installed\n\nPackage: gcc-12-base\nStatus: install ok installed\n\n"
SYSTEM = {
    "/etc/passwd": File(PASSWD),
    "/etc/group": File("root:x:0:\nappuser:x:1000:\n"),
    "/etc/shadow": File("root:*:19000:0:99999:7:::\n"),
    "/etc/os-release": File('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'),
    "/var/lib/dpkg/status": File(PACKAGES),
    "/bin": link("usr/bin"),
    "/usr/bin/sh": program(),
    "/usr/local/bin/python3.12": program(),
    "/usr/local/bin/python": link("python3.12"),
    "/tmp": folder(0o1777),
}
SERVICE = {
    "/opt/venv/pyvenv.cfg": File(),
    "/opt/venv/lib/python3.12/site-packages/lib.py": File(),
    "/app/logs": folder(0o755, 1000),
    "/app/service/__main__.py": File(),
    "/app/service/check.py": File(CHECK),
}


def layer(index: int, files: dict[str, File], whiteouts: frozenset[str] = frozenset()) -> Layer:
    """A layer; the folders above its files come by themselves."""
    above = {str(each) for path in files for each in PurePosixPath(path).parents} - {"/", *files}
    entries = {
        path: Entry(
            path=path, kind=file.kind, mode=file.mode, uid=file.uid, gid=file.gid, mtime=0, target=file.target,
            size=len(file.content) if file.size is None else file.size, capability=file.capability, layer=index,
            sha256=hashlib.sha256(file.content.encode()).hexdigest(),
        )
        for path, file in {**{each: folder() for each in sorted(above)}, **files}.items()
    }  # fmt: skip
    return Layer(
        index=index, digest=f"sha256:{index:064}", diff_id=f"sha256:{index:064}", compressed=0, history=index,
        size=sum(each.size for each in entries.values()), entries=entries, whiteouts=whiteouts, opaque=frozenset(),
    )  # fmt: skip


def image(
    files: dict[str, File | None] | None = None,
    config: dict[str, object] | None = None,
    later: dict[str, File] | None = None,
    deleted: tuple[str, ...] = (),
    **changed: object,
) -> Image:
    """The service's image with other files (None leaves one out), other keys, and a third layer if it is asked for."""
    own = {path: file for path, file in {**SERVICE, **(files or {})}.items() if file and path not in SYSTEM}
    system = {path: {**SYSTEM, **(files or {})}[path] for path in SYSTEM}
    contents = [{path: file for path, file in system.items() if file}, own]
    contents += [later or {}] if later or deleted else []
    layers = [layer(index, each, frozenset(deleted if index > 1 else ())) for index, each in enumerate(contents)]
    merged: dict[str, Entry] = {}
    kept: dict[tuple[int, str], bytes] = {}
    for each in layers:
        merged = {path: entry for path, entry in merged.items() if path not in each.whiteouts} | dict(each.entries)
        kept |= {(each.index, path): file.content.encode() for path, file in contents[each.index].items()}
    steps = [HistoryStep(created_by=step, created="", comment="", empty=False, layer=None) for step in ("base", *STEPS)]
    root = folder()
    entry = Entry("/", root.kind, root.mode, 0, 0, 0, 0, "", b"", 0, "")
    values = {
        "reference": "shop:prod", "id": "", "digest": "", "history": tuple(steps), "layers": tuple(layers),
        "config": {
            "config": {**CONFIG, **(config or {})},
            "rootfs": {"diff_ids": [each.diff_id for each in layers]},
        },
        "files": {"/": entry, **merged}, "kept": kept,
        "contents": {path: kept[e.layer, path] for path, e in merged.items() if (e.layer, path) in kept and e.is_file},
    }  # fmt: skip
    return Image(**{**values, **changed})


def dockerfile(old: str = "", new: str = "") -> object:
    """The service's Dockerfile with one change."""
    assert old in DOCKERFILE
    return parse(DOCKERFILE.replace(old, new) if old else DOCKERFILE, args={}, name="Dockerfile")


def match(pattern: str, path: str, index: int = 1) -> Match:
    """A place where a pattern matched."""
    return Match(pattern=pattern, layer=index, path=path, offset=7, length=40, fingerprint="0123456789ab")


def inspected(config: dict[str, object] | None = None, **changed: object) -> dict[str, object]:
    """What `docker inspect` says of the service's container."""
    mounts = [
        {"Type": "bind", "Destination": "/app/logs", "RW": True},
        {"Type": "bind", "Destination": "/run/secrets/api_key", "RW": False},
    ]
    bindings = {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}]}
    return {
        "Config": {**CONFIG, **(config or {})},
        "Mounts": mounts,
        "HostConfig": {"PortBindings": bindings},
        **changed,
    }


def ran(code: int, output: str = "", seconds: float = 1.0) -> Ran:
    """The end of a command."""
    return Ran(command="check", code=code, output=output, seconds=seconds)


def health(**changed: object) -> HealthCheck:
    """A health check that tells its three cases apart."""
    values = {"up": ran(0), "hung": ran(1), "down": ran(1), "healthy_after": 2.0, "start_period": 30.0}
    return HealthCheck(**{**values, **changed})


def keys(none: Ran | None = None, status: int = 200) -> Keys:
    """Starts as they should end."""
    answer = Exchange(request="POST /predict, key as a file", status=status, answer="{}")
    return Keys(none=none or ran(1, "API_KEY: no key is set"), refused=(), query=answer, rotation=(), file=answer)


def evidence(**changed: object) -> dict[str, object]:
    """All evidence on the good service, with what is changed."""
    return {
        "settings": SETTINGS,
        "image": image(),
        "dockerfile": dockerfile(),
        "today": date(2026, 11, 23),
        "revision": Revision(commit=COMMIT, url="https://git.example/shop"),
        "base": BaseFacts(reference="python:3.12", digest=DIGEST, diff_ids=(f"sha256:{0:064}",), assembled=False),
        "sources": Sources(folder="src/service", files={"settings.py": CONTRACT}),
        "processes": (Process(pid=1, uid=1000, state="S", command="python -m service"),),
        "inspect": inspected(),
        "smoke": (Result(probe="health", verdict="pass", evidence="200"),),
        "writes": (Write(path="/app/service/__main__.py", error="Permission denied"),),
        "health_check": health(),
        "keys": keys(),
        "volumes": (Volume(kind="named", owner="1000:1000", mode="755", error=""),),
        "secret_trial": SecretTrial(secrets=("canary",), searched=("2 layers", "history"), found=()),
        "leak": Leak(sent=("POST /predict",), searched={"stdout": 400}, found=()),
        **changed,
    }
