"""SEC-01, SEC-02 and SEC-03: secrets in layers, in the configuration, and on their way into a build."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.configured import environment, key, table, words
from dockyard.audit.facts.hidden import hidden_by
from dockyard.audit.facts.instructions import on
from dockyard.audit.facts.secret_names import secret_name, secret_pair, shape, with_credentials
from dockyard.audit.patterns import CREDENTIALS, PUBLISHED
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockyard.audit.trials import SecretTrial
    from dockyard.audit.verdict import Proof
    from dockyard.dockerfile import Dockerfile
    from dockyard.image import Image

ASSIGNED = re.compile(
    r"(?P<name>(?:secret|token|passw(?:or)?d|api_?key|credential)\w*)[\"']?\s*[:=]\s*[\"'](?P<value>[\w+/=.~-]{20,200})[\"']",
    re.IGNORECASE,
)
UNSEARCHED = re.compile(r"was refused|Patterns matched")
RANDOM = 4.0
STEP_PAIR = re.compile(r"(?:^|[\s|;&])(?P<name>[A-Za-z_]\w*)=(?P<value>\"[^\"]*\"|'[^']*'|[^\s;&|]*)")
SHOWN = 5


class NoSecretInLayers(Rule):
    """No layer holds a secret, and no file that a later layer deletes does.

    A layer is sent as it was made. `RUN rm` hides a file from the container, not from those who pull the image: they
    unpack the layer below it. Token shapes and private keys are looked for in every file of every layer, and files that
    hold credentials by their name, such as .netrc or id_rsa. A value that merely looks random is listed as a hint and
    fails nothing. Test keys of the standard library and of installed packages are public, and are counted, not failed.

    Remedy: give secrets to a build with `RUN --mount=type=secret`, keep files with credentials out of the context,
    build again without cache, and revoke what was in the image: it is known to everybody who could pull it.
    """

    id = "SEC-01"
    title = "No secret in any layer"
    severity = Severity.CRITICAL
    references = ("CIS 4.10", "dockle CIS-DI-0010", "Trivy DS-0031", "NIST 800-190 4.1.4")

    @part
    def shapes(self, image: Image) -> Iterator[Proof]:
        """Where a token shape matched."""
        public = [each for each in image.matches if PUBLISHED.fullmatch(each.path)]
        for each in image.matches:
            if each not in public:
                told = f"{each.path} holds a {each.pattern} at byte {each.offset} (fingerprint {each.fingerprint})"
                place = Place(subject=each.path, layer=each.layer)
                yield broken(f"{told}{_fate(image, each.layer, each.path)}", place)
        files = sum(len(layer.entries) for layer in image.layers)
        also = f"; {len(public)} matches in published test data, for instance {public[0].path}" if public else ""
        yield holds(f"Searched {files} entries of {len(image.layers)} layers for token shapes{also}")
        yield from (unknown(each) for each in image.problems if UNSEARCHED.search(each))

    @part
    def names(self, image: Image) -> Iterator[Proof]:
        """Which files are there for credentials."""
        clean = True
        for layer in image.layers:
            for path, entry in layer.entries.items():
                if entry.is_file and entry.size and CREDENTIALS.fullmatch(path) and not PUBLISHED.fullmatch(path):
                    clean = False
                    fate = _fate(image, layer.index, path)
                    yield broken(f"{path} is a file of credentials{fate}", Place(subject=path, layer=layer.index))
        if clean:
            yield holds("No layer has a file that is named like one of credentials")

    @part
    def randomness(self, image: Image) -> Iterator[Proof]:
        """What looks random in sources and scripts is a hint."""
        hints = [
            (found["name"], Place(subject=path, layer=layer))
            for (layer, path), content in image.kept.items()
            for found in ASSIGNED.finditer(content.decode("utf-8", "replace"))
            if entropy(found["value"]) >= RANDOM and not PUBLISHED.fullmatch(path)
        ]
        for name, place in hints[:SHOWN]:
            yield holds(f"Low confidence: {name} in {place.subject} looks random: look at it", place)
        if not hints:
            yield holds("No value of a secret-like name in the kept sources and scripts looks random")


def entropy(value: str) -> float:
    """Return bits a character."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)


def _fate(image: Image, layer: int, path: str) -> str:
    """Say which layer hides a file."""
    hiding = hidden_by(image, layer, path)
    return "" if hiding is None else f"; deleted or replaced in layer {hiding}, still readable in layer {layer}"


class NoSecretInConfiguration(Rule):
    """No variable, label, command or step of the history holds a secret.

    The configuration travels with the image and is printed by `docker inspect` and `docker history`; every process of
    the container inherits its variables. An ARG that a RUN used is written into the history with its value. Names and
    values are judged both: a tracking URL with a password has a harmless name. `…_FILE` and the base image's `GPG_KEY`
    are no secrets.

    Remedy: take it out of `ENV`, `ARG` and `LABEL`, give it at run time as a file (`API_KEY_FILE`) or to the build as a
    secret mount, and revoke the value.
    """

    id = "SEC-02"
    title = "No secret in variables, labels, commands or history"
    severity = Severity.CRITICAL
    references = ("BuildKit SecretsUsedInArgOrEnv", "hadolint DL3064", "Trivy DS-0031", "CIS 4.10")

    @part
    def variables(self, image: Image) -> Iterator[Proof]:
        """Variables and labels are pairs."""
        labels = {name: str(value) for name, value in table(image, "Labels").items()}
        for where, found in (("Env", environment(image)), ("Labels", labels)):
            bad = tuple(_pairs(where, found))
            yield from bad
            if not bad:
                yield holds(f"None of {len(found)} entries of Config.{where} is a secret", key(where))

    @part
    def commands(self, image: Image) -> Iterator[Proof]:
        """Commands are words."""
        check = table(image, "Healthcheck").get("Test")
        listed = {name: words(image, name) for name in ("Entrypoint", "Cmd", "Shell", "OnBuild")}
        listed["Healthcheck.Test"] = tuple(map(str, check)) if isinstance(check, list) else ()
        clean = True
        for name, found in listed.items():
            for kind in _in_text(" ".join(found)):
                clean = False
                yield broken(f"Config.{name} holds a {kind}", key(name))
        if clean:
            yield holds("No command of the image holds a secret", key("Cmd"))

    @part
    def history(self, image: Image) -> Iterator[Proof]:
        """Steps are text, with the arguments that a RUN got in front."""
        clean = True
        for index, step in enumerate(image.history):
            for kind in dict.fromkeys(_in_text(step.created_by)):
                clean = False
                yield broken(
                    f"Step {index} of the history holds a {kind}", Place(subject=f"history[{index}].created_by")
                )
        if clean:
            yield holds(f"None of {len(image.history)} steps of the history holds a secret", Place(subject="history"))


def _pairs(where: str, found: Mapping[str, str]) -> Iterator[Proof]:
    for name, value in found.items():
        kind = shape(value) or ("value under a secret's name" if secret_pair(name, value) else None)
        if kind:
            yield broken(f"Config.{where}: {name} holds a {kind}", key(f"{where}.{name}"))


def _in_text(text: str) -> Iterator[str]:
    """Yield what kinds of secrets a line of words holds; never their values."""
    kind = shape(text)
    if kind:
        yield kind
    for found in STEP_PAIR.finditer(text):
        if secret_pair(found["name"], found["value"]):
            yield f"value of {found['name']}"


class BuildSecrets(Rule):
    """What a build needs to keep secret reaches it through secret mounts, and leaves no trace.

    A build argument is kept in the history of the image, in its provenance and in the cache. A secret mount is a file
    that exists while one RUN lasts. A build with a canary as its secret, searched for by value in every layer, the
    configuration, the history and the log, shows that no step copies it.

    Remedy: `RUN --mount=type=secret,id=index_url PIP_INDEX_URL=$(cat /run/secrets/index_url) pip install …`, and
    `docker buildx build --secret id=index_url,src=…` instead of `--build-arg`.
    """

    id = "SEC-03"
    title = "Build secrets only through secret mounts"
    severity = Severity.HIGH
    references = ("BuildKit SecretsUsedInArgOrEnv", "NIST 800-190 4.1.4", "OWASP Docker 12")

    @part
    def arguments(self, dockerfile: Dockerfile) -> Iterator[Proof]:
        """No argument is named like a secret, and no address in the file has a password."""
        clean = True
        for instruction in dockerfile.instructions:
            place = on(dockerfile, instruction)
            named = [name for name in instruction.pairs if instruction.keyword == "ARG" and secret_name(name)]
            for name in named:
                clean = False
                yield broken(f"The build argument {name} is named like a secret", place)
            if with_credentials(instruction.raw):
                clean = False
                yield broken(
                    "A URL with credentials is in the Dockerfile",
                    Place(subject=instruction.keyword, file=place.file, line=place.line),
                )
        if clean:
            mounts = sum(each.type == "secret" for line in dockerfile.instructions for each in line.mounts)
            yield holds(
                f"No secret among the arguments; {mounts} secret mounts", Place(subject="ARG", file=dockerfile.name)
            )

    @part
    def provenance(self, image: Image) -> Iterator[Proof]:
        """What attestations tell of the build."""
        found = [pair for each in image.attestations for pair in _leaves(each)]
        bad = [name for name, value in found if _leaks(name, value)]
        place = Place(subject="attestations")
        yield from (broken(f"The provenance has {name}, a secret by its name or value", place) for name in bad)
        if not bad:
            yield holds(f"{len(image.attestations)} attestations; none has a secret", place)

    @part
    def trial(self, secret_trial: SecretTrial) -> Iterator[Proof]:
        """A canary was given to a build, and searched for by its value."""
        places = Place(subject="build with a canary secret")
        yield from (broken(f"A build secret was found again in {each}", places) for each in secret_trial.found)
        if not secret_trial.secrets or not secret_trial.searched:
            yield unknown("No build secret was tried, or nothing was searched", places)
        elif not secret_trial.found:
            tried, where = ", ".join(secret_trial.secrets), ", ".join(secret_trial.searched)
            yield holds(f"The value of {tried} is in none of {where}", places)


def _leaves(node: Any, name: str = "", depth: int = 12) -> Iterator[tuple[str, str]]:
    """Yield the texts of a document, each with the key it is under."""
    if isinstance(node, dict) and depth:
        for each, value in node.items():
            yield from _leaves(value, str(each), depth - 1)
    elif isinstance(node, list) and depth:
        for value in node:
            yield from _leaves(value, name, depth - 1)
    elif isinstance(node, str):
        yield name, node


def _leaks(name: str, value: str) -> bool:
    argument = name.removeprefix("build-arg:")
    return (argument != name and secret_pair(argument, value)) or shape(value) is not None
