"""A build whose secrets hold canaries, searched for by value: layers, configuration, provenance, metadata, log."""

from __future__ import annotations

import json
import posixpath
import re
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard import image
from dockyard.audit.evidence import Missing
from dockyard.audit.trials import SecretTrial
from dockyard.errors import BuildError
from dockyard.state import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockyard.build.workshop import Built, Workshop
    from dockyard.dockerfile import Instruction
    from dockyard.image import Image

CERTIFICATE = "-----BEGIN "
URL_PASSWORD = re.compile(r"[a-z]+://[^/@\s:]*:(?P<password>[^/@\s]{4,})@")


def secret_trial(shop: Workshop) -> SecretTrial | Missing:
    """Build with a canary in each secret, all steps that get one run anew, and search everything that came of it.

    An id that this project's builds do not have gets a plain canary. If no build can be made so, since what gets that
    secret really wants it, the trial has the others alone.
    """
    steps = [each for each in shop.instructions if _ids(each)]
    wanted = tuple(dict.fromkeys(name for each in steps for name in _ids(each)))
    if not wanted:
        return Missing("No RUN of the Dockerfile has a secret mount.")
    known = tuple(name for name in wanted if name in shop.plan.secrets)
    try:
        return _tried(shop, steps, wanted)
    except BuildError:
        if not known or known == wanted:
            raise
        return _tried(shop, steps, known)


def _ids(instruction: Instruction) -> list[str]:
    """Return the ids of the secrets that a step gets; BuildKit takes a missing one from the target's name."""
    mounts = [each for each in instruction.mounts if each.type == "secret"]
    return [each.id or each.source or posixpath.basename(each.target) for each in mounts]


def _tried(shop: Workshop, steps: Sequence[Instruction], names: tuple[str, ...]) -> SecretTrial | Missing:
    """Build with these secrets, and search."""
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder, shop.copied() as copy:
        values = {
            name: _planted(Path(folder, f"secret-{at}"), shop.plan.secrets.get(name)) for at, name in enumerate(names)
        }
        given = [f"id={name},src={Path(folder, f'secret-{at}')}" for at, name in enumerate(names)]
        archive, dockerfile = Path(folder, "built.tar"), Path(folder, "Dockerfile")
        dockerfile.write_text(_anew(shop, steps), "utf-8", "surrogateescape")
        attested = shop.archives()
        output = {"type": "oci", "compression": "uncompressed"} if attested else {"type": "docker"}
        output["dest"] = str(archive)
        provenance = {"mode": "max"} if attested else False
        built = shop.build(copy, file=dockerfile, secrets=given, output=output, provenance=provenance)
        cached = [each.printed for each in steps if each.printed in built.told(cached=True)]
        if cached:
            return Missing(f"BuildKit did not run `{cached[0]}` anew.")
        patterns = [
            image.Pattern(name=name, triggers=(value,), regex=re.escape(value), text_only=False)
            for name, value in values.items()
        ]
        saved = image.read(archive, patterns=patterns)
    if saved.problems:
        return Missing(f"The image that was built could not be searched whole: {saved.problems[0]}")
    return _searched(saved, built, values)


def _planted(file: Path, real: Path | None) -> bytes:
    """Write what a build gets as a secret, and return the value in it that must come to light nowhere.

    What a build needs to be real stays so: certificates get one more comment; of all else its own value is looked for.
    """
    canary = f"dockyard-canary-{secrets.token_hex(16)}"
    text = real.read_text("utf-8", "surrogateescape") if real else ""
    value = canary if not text or CERTIFICATE in text else _telling(text)
    content = f"{text}\n# {canary}\n" if CERTIFICATE in text else text or canary
    file.touch(PRIVATE)
    file.write_text(content, "utf-8", "surrogateescape")
    return value.encode("utf-8", "surrogateescape")


def _telling(text: str) -> str:
    """Return the part of a real secret that only it has: a URL's password, else the longest line."""
    line = max((line.strip() for line in text.splitlines()), key=len, default="")
    found = URL_PASSWORD.match(line)
    return found["password"] if found else line


def _anew(shop: Workshop, steps: Sequence[Instruction]) -> str:
    """Return the Dockerfile with a new ARG before the first step of each stage that gets a secret.

    An ARG counts for the cache of each RUN after it. So these steps run, and what they make with canaries is never
    taken for what the project's own builds make.
    """
    lines = shop.plan.dockerfile.read_text("utf-8", "surrogateescape").split("\n")
    firsts = {each.stage: each.line for each in reversed(steps)}
    for line in sorted(firsts.values(), reverse=True):
        lines.insert(line - 1, f"ARG DOCKYARD_TRIAL={secrets.token_hex(8)}")
    return "\n".join(lines)


def _searched(saved: Image, built: Built, values: Mapping[str, bytes]) -> SecretTrial:
    """Search everything but the contents of files, which the reader of images has searched."""
    places = {
        "the configuration and history": _plain(saved.config),
        "the provenance": _plain(saved.attestations),
        "the metadata file": _plain(built.metadata),
        "the build log": b"\n".join([*built.logs.values(), *(step.name.encode() for step in built.steps)]),
        "file names": "\n".join(path for layer in saved.layers for path in layer.entries).encode(
            "utf-8", "surrogateescape"
        ),
    }
    found = [f"{each.pattern} in {each.path} of layer {each.layer}" for each in saved.matches]
    found += [f"{name} in {place}" for place, told in places.items() for name, value in values.items() if value in told]
    searched = (f"{len(saved.layers)} layers", *(place for place, told in places.items() if len(told) > len("[]")))
    return SecretTrial(secrets=tuple(values), searched=searched, found=tuple(found))


def _plain(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, default=str).encode("utf-8", "surrogateescape")
