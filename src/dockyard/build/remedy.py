"""A step that failed at the network -> what the build could give it, and it does not take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard.build.marked import secret_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from dockyard.build.steps import Step
    from dockyard.dockerfile import Instruction

UNTRUSTED = re.compile(
    r"CERTIFICATE_VERIFY_FAILED|certificate verif(y|ication) failed|self[- ]signed certificate|UnknownIssuer|"
    r"unable to get local issuer certificate|certificate signed by unknown authority",
    re.IGNORECASE,
)
UNREACHED = re.compile(
    r"name resolution|Name or service not known|Could not resolve host|dns error|Network is unreachable|"
    r"Connection refused|Connection timed out|No matching distribution found",
    re.IGNORECASE,
)
# The id of a secret, what it is, when it may help, and how the usual tools take it.
HELP = (
    ("ca", "the CA bundle of this machine", UNTRUSTED, "SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca"),
    ("proxy", "the proxy of this machine", UNREACHED, 'HTTPS_PROXY="$(cat /run/secrets/proxy)"'),
    ("index_url", "the package index", UNREACHED, 'PIP_INDEX_URL="$(cat /run/secrets/index_url)"'),
)


def remedy(instruction: Instruction, step: Step, given: Collection[str]) -> str:
    """Return what a failed RUN may lack of the network's secrets; empty if nothing of them would have helped.

    Args:
        instruction: The RUN.
        step: What became of it.
        given: Ids of the secrets that the build has.
    """
    mounted = {secret_of(mount) for mount in instruction.mounts if mount.type == "secret"}
    printed = "\n".join(step.log)
    for name, what, telling, taken in HELP:
        if name in given and name not in mounted and telling.search(printed):
            return f"Let that step have {what}: `RUN --mount=type=secret,id={name} {taken} …`"
    return ""
