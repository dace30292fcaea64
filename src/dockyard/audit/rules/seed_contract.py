"""SEED-11: the variables of the image are those that the service reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.audit.facts.configured import environment, key, ours
from dockyard.audit.facts.contract import fields
from dockyard.audit.facts.secret_names import with_credentials
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.facts.contract import Field
    from dockyard.audit.read import Sources
    from dockyard.audit.verdict import Proof
    from dockyard.image import Image
    from dockyard.settings import Settings

ENV = key("Env")
# Read by the interpreter, the C library or a well-known library, or left by the base image: no part of the contract.
NOT_THE_SERVICES = re.compile(
    r"PATH|HOME|USER|SHELL|TERM|TMPDIR|TZ|LANG(UAGE)?|LC_.*|LD_.*|MALLOC_.*|DEBIAN_FRONTEND|VIRTUAL_ENV|NO_COLOR"
    r"|(PYTHON|PIP_|UV_|OMP_|MKL_|OPENBLAS_|NUMEXPR_|ORT_|TF_|TORCH|CUDA_|NVIDIA_|HF_|TOKENIZERS_|GRPC_|OTEL_|AWS_"
    r"|SSL_CERT_|REQUESTS_CA_|CURL_CA_).*"
    r"|GPG_KEYS?|.*_(VERSION|SHA256|SHA512)"
)


class Contract(Rule):
    """The variables of the image are exactly those that the service reads, and none of them is a secret.

    Who operates an image knows what can be set from `docker inspect` alone: a variable that is missing there is found
    in an incident, and one that nothing reads is set in vain. `contract` of [tool.dockyard.audit] names the settings
    class; its fields in capitals are the contract. Fields that are secrets must not be listed, even empty: it invites
    to set them there. Not counted are variables of the interpreter, of the C library and of well-known libraries
    (`PYTHON…`, `LC_…`, `OMP_…`, `ORT_…` and the like), what official base images set (`GPG_KEY`, `…_VERSION`), and the
    names in `contract_except`: those that are kept out of the image on purpose, or are read by another library.

    Remedy: list every field in `ENV` of the final stage with its default, an empty one as `NAME=`, and no secret; put
    a name that is left out on purpose into `contract_except`.
    """

    id = "SEED-11"
    title = "ENV is the complete, secret-free contract"
    severity = Severity.MEDIUM
    references = ("OWASP API 8", "OWASP API 9", "CIS 4.10")

    @part
    def listed(self, image: Image, sources: Sources, settings: Settings) -> Iterator[Proof]:
        """Compare the settings class and the image, in both directions."""
        if not ours(image, settings):
            yield unknown(f"{image.reference} is no image of {settings.image}, whose settings are known")
            return
        file, _, name = settings.audit.contract.partition(":")
        known, reason = _read(sources, file, name)
        if known is None:
            yield unknown(reason)
            return
        excepted = frozenset(settings.audit.contract_except)
        place = Place(subject=f"class {name}", file=f"{sources.folder}/{file}")
        yield from _missing(known, image, excepted, place)
        yield from _unread(known, image, excepted)

    @part
    def urls(self, image: Image) -> Iterator[Proof]:
        """No address has a password in it."""
        bad = [name for name, value in environment(image).items() if with_credentials(value)]
        yield from (broken(f"{name} is a URL with credentials", ENV) for name in bad)
        if not bad:
            yield holds("No variable is a URL with credentials", ENV)


def _read(sources: Sources, file: str, name: str) -> tuple[tuple[Field, ...] | None, str]:
    """Return the fields of the settings class, or why there are none."""
    if not name:
        return None, "`contract` of [tool.dockyard.audit] names no settings class"
    if file not in sources.files:
        return None, f"There is no {file} in {sources.folder}"
    try:
        found = fields(sources.files[file], name)
    except (SyntaxError, ValueError, RecursionError):
        return None, f"{file} cannot be parsed"
    return found, "" if found else f"{file} has no class {name} with fields"


def _missing(known: tuple[Field, ...], image: Image, excepted: frozenset[str], place: Place) -> Iterator[Proof]:
    """Judge what the service reads."""
    variables = environment(image)
    for field in known:
        here = Place(subject=f"{place.subject}.{field.name}", file=place.file, line=field.line)
        if field.secret and field.name in variables:
            yield broken(f"{field.name} is a secret, and the image lists it", ENV)
        elif not field.secret and field.name not in variables and field.name not in excepted:
            yield broken(f"The service reads {field.name}, which the image does not list", here)
    secrets = sum(field.secret for field in known)
    yield holds(f"{place.subject} has {len(known)} variables, {secrets} of them secret", place)


def _unread(known: tuple[Field, ...], image: Image, excepted: frozenset[str]) -> Iterator[Proof]:
    """Judge what the image lists."""
    names = {field.name for field in known}
    left = [name for name in environment(image) if name not in names and name not in excepted]
    others = [name for name in left if NOT_THE_SERVICES.fullmatch(name)]
    for name in left:
        if name not in others:
            yield broken(f"The image lists {name}, which the service does not read", ENV)
    yield holds(f"Not read by the service itself: {', '.join(others) or 'none'}", ENV)
