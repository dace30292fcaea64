"""Evidence that passes and that fails the rules IMG-01 to IMG-12."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.audit.observed import Write
from dockyard.audit.read import BaseFacts
from dockyard.revision import Revision
from dockyard.settings import Settings
from dockyard.settings.audits import Audit

from .cases_seed import with_config, with_dockerfile, with_image
from .samples import COMMIT, CONFIG, DIGEST, PASSWD, File, evidence, folder, link, program

if TYPE_CHECKING:
    from .cases_seed import Make

LABEL = "org.opencontainers.image"
LIB = "/opt/venv/lib/python3.12/site-packages/lib.py"


def with_label(name: str, value: str | None) -> Make:
    """Evidence with another label, or without it."""
    labels = {**CONFIG["Labels"], f"{LABEL}.{name}": value}
    return with_config(Labels={key: each for key, each in labels.items() if each is not None})


def with_audit(**keys: object) -> Make:
    """Evidence with other settings of the audit."""
    audit = Audit(contract="settings.py:Settings", sources="service", **keys)
    return lambda: evidence(settings=Settings(root=Path("/project"), image="shop", version="1.0", audit=audit))


def with_base(**keys: object) -> Make:
    """Evidence with another base."""
    values = {"reference": "python:3.12", "digest": DIGEST, "diff_ids": (f"sha256:{0:064}",), "assembled": False}
    return lambda: evidence(base=BaseFacts(**{**values, **keys}))


def wrapped(text: str) -> Make:
    """Evidence with a wrapper script as the entry point."""
    return with_image({"/app/run": program(text)}, {"Entrypoint": ["/app/run"]})


def passwd(old: str, new: str) -> Make:
    """Evidence with another /etc/passwd."""
    return with_image({"/etc/passwd": File(PASSWD.replace(old, new))})


FAILING: dict[str, list[tuple[str, Make]]] = {
    "IMG-01": [
        ("/usr/bin/su is setuid: root:root 4755", with_image({"/usr/bin/su": program(mode=0o4755)})),
        ("/usr/bin/wall is setgid", with_image({"/usr/bin/wall": program(mode=0o2755)})),
    ],
    "IMG-02": [
        ("/opt/open is root:root 0777", with_image({"/opt/open": folder(0o777)})),
        ("/etc/open.conf is root:root 0666", with_image({"/etc/open.conf": File(mode=0o666)})),
    ],
    "IMG-03": [
        (
            "/usr/bin/ping has file capabilities: permitted 0x00002000",
            with_image({"/usr/bin/ping": File(capability=bytes.fromhex("0100000200200000000000000000000000000000"))}),
        ),
    ],
    "IMG-04": [
        ("the service's own", with_image({"/app/service/__main__.py": File(uid=1000)})),
        ("the service's own", with_image({"/home/me/.profile": File(uid=1000)})),
        ("others than its owner may write", with_image({LIB: File(mode=0o664)})),
        ("others than its owner may write", with_image({"/app/service/__main__.py": File(mode=0o646)})),
        (
            "others than its owner may write",
            with_image({"/srv/start": program(mode=0o775)}, {"Entrypoint": ["/srv/start"]}),
        ),
        ("runs as root", with_config(User="")),
        ("Wrote /app/x", partial(evidence, writes=(Write(path="/app/x", error=""),))),
    ],
    "IMG-05": [
        ("Layer 1 has lists of apt: 1 file(s), 1 B", with_image({"/var/lib/apt/lists/x_InRelease": File()})),
        ("Layer 1 has packages", with_image({"/var/cache/apt/archives/x.deb": File()})),
        ("Layer 1 has an installer's cache", with_image({"/root/.cache/pip/http/x": File()})),
        ("Layer 1 has a repository", with_image({"/app/.git/config": File()})),
        ("Layer 1 has tests", with_image({"/app/tests/test_x.py": File()})),
        ("Layer 1 has files of the build", with_image({"/app/Dockerfile": File()})),
        ("Layer 1 has an editor's files", with_image({"/app/.idea/workspace.xml": File()})),
        ("Layer 1 has temporary files", with_image({"/tmp/x": File()})),
        (
            "deleted later and still sent",
            with_image({"/var/lib/apt/lists/x": File()}, deleted=("/var/lib/apt/lists",)),
        ),
    ],
    "IMG-06": [("/usr/bin/sh is one of the shells", with_audit(shells="distroless"))],
    "IMG-07": [
        ("appuser has an empty password", passwd("appuser:x:", "appuser::")),
        ("root has a password's hash", with_image({"/etc/shadow": File("root:$6$abc$def:19000:0:::::\n")})),
        ("root has an empty password", with_image({"/etc/shadow": File("root::19000:0:::::\n")})),
        ("0", passwd("root:x:0:0:root:/root:/bin/bash\n", "root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n")),
        ("2 rows have the gid 1000", with_image({"/etc/group": File("root:x:0:\na:x:1000:\nb:x:1000:\n")})),
    ],
    "IMG-08": [
        ("PID 1 is the shell of", with_config(Cmd=["/bin/sh", "-c", "python -m service"])),
        ("PID 1 is the shell of", with_config(Entrypoint=["/sbin/tini", "--", "sh", "-c", "exec python"])),
        ("the shell stays PID 1", wrapped("#!/bin/sh\npython -m service\n")),
        ("the shell stays PID 1", wrapped("#!/usr/bin/env bash\n# exec would do\npython -m service\n")),
        ("PID 1 is the shell /usr/bin/sh", with_config(Cmd=["sh"])),
        ("is no program of the image", with_config(Cmd=["pithon"])),
        ("CMD is in shell form", with_dockerfile('CMD ["python", "-m", "service"]\n', "CMD python -m service\n")),
    ],
    "IMG-09": [
        ("WORKDIR app is relative", with_dockerfile("WORKDIR /app", "WORKDIR app")),
        ("ADD of service", with_dockerfile("COPY service service", "ADD service service")),
        ("without --checksum", with_dockerfile("COPY service service", "ADD https://host.example/x.py service/")),
        ("EXPOSE 0 is no port", with_dockerfile("EXPOSE 8000", "EXPOSE 0")),
        (
            "apt-get update installs nothing",
            with_dockerfile("COPY service.txt", "RUN apt-get update\nCOPY service.txt"),
        ),
        ("RUN uses sudo", with_dockerfile("RUN install", "RUN sudo install")),
        ("another CMD above", with_dockerfile("EXPOSE", 'CMD ["true"]\nEXPOSE')),
        ("another HEALTHCHECK above", with_dockerfile("EXPOSE", "HEALTHCHECK NONE\nEXPOSE")),
    ],
    "IMG-10": [
        ("at most 600m (629.1 MB) wanted", with_image({"/app/big": File(size=700 << 20)})),
        ("are deleted or replaced later", with_image({"/app/big": File(size=21 << 20)}, deleted=("/app/big",))),
        ("2 layers, at most 1 wanted", with_audit(max_layers=1)),
    ],
    "IMG-11": [
        ("licenses is missing", with_label("licenses", None)),
        ("an SPDX expression is wanted", with_label("licenses", "Apache License")),
        ("a time of RFC 3339 is wanted", with_label("created", "2026-11-01")),
        ("an address is wanted", with_label("source", "shop")),
        ("source is missing", with_label("source", None)),
        ("a name is wanted", with_label("title", "")),
        ("image.revision", with_label("revision", f"{COMMIT}-dirty")),
        (f"git says {'f' * 40}", lambda: evidence(revision=Revision(commit="f" * 40))),
        ("is wanted", with_base(digest=f"sha256:{'cd' * 32}")),
        ("does not begin with the layers", with_base(diff_ids=(f"sha256:{9:064}",))),
    ],
    "IMG-12": [
        (
            "debian 11 was supported until 2026-08-31",
            with_image({"/etc/os-release": File("ID=debian\nVERSION_ID=11\n")}),
        ),
        ("debian 12 was supported until 2026-06-10", with_audit(support="regular")),
        ("debian 12 was supported until 2028-06-30", partial(evidence, today=date(2028, 7, 1))),
        (
            "Python 3.9 was supported until 2025-10-31",
            with_image({"/usr/local/bin/python3.9": program(), "/usr/local/bin/python": link("python3.12")}),
        ),
    ],
}
PASSING: dict[str, Make] = dict.fromkeys(FAILING, evidence)
