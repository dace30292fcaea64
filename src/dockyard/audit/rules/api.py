"""API-01, API-02: who is let in."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

from dockyard.audit.facts.running import OK, request
from dockyard.audit.rule import Rule, part
from dockyard.audit.verdict import Place, Severity, broken, holds, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.audit.observed import Exchange, Routes
    from dockyard.audit.read import Sources
    from dockyard.audit.trials import Keys
    from dockyard.audit.verdict import Proof
    from dockyard.settings import Settings

REFUSED = (401, 403)
SHOWN = 10
# What a health answer has no business to say; which model serves is what readiness is asked for.
TELLING = {
    "build", "commit", "config", "database", "db", "debug", "dsn", "env", "environment", "host", "hostname", "ip",
    "path", "platform", "python", "python_version", "revision", "settings", "uri", "url", "version",
}  # fmt: skip
TELLING_TEXT = re.compile(
    r"(?<![\w.])/(?:app|etc|home|mnt|opt|root|run|srv|tmp|usr|var)/[\w.-]+|\w+://[\w.-]+"
    r"|\b(?:django|fastapi|flask|gunicorn|numpy|onnxruntime|python|starlette|uvicorn|werkzeug)[/ ]v?\d[\w.]*",
    re.IGNORECASE,
)
SECRET = re.compile(r"(^|_)(api_?key|apikey|secret|token|password)$", re.IGNORECASE)


class Guarded(Rule):
    """Every documented route but the public ones asks for a key, and the health routes tell strangers nothing.

    One route that was added without the guard opens the service; versions, paths and addresses in an open answer are
    what an attacker collects first.

    Remedy: put the guard around all routes and let the public ones out by name (`public` in [tool.dockyard.audit]);
    answer health routes with a state alone.
    """

    id = "API-01"
    title = "Every business route needs the key"
    severity = Severity.CRITICAL
    references = ("OWASP API 2", "OWASP API 9")

    @part
    def refuses(self, routes: Routes, settings: Settings) -> Iterator[Proof]:
        """Without a key and with a wrong one each answers 401 or 403."""
        guarded = [each for each in routes.routes if each.path not in settings.audit.public]
        for route in guarded:
            for answer in (route.no_key, route.wrong_key):
                if answer.status not in REFUSED:
                    yield broken(f"{answer}, wanted is 401 or 403", request(answer))
                else:
                    yield holds(f"{answer.request}: {answer.status}", request(answer))
        if not guarded:
            yield unknown(f"no route is known that should ask for a key ({routes.source})")

    @part
    def discreet(self, routes: Routes) -> Iterator[Proof]:
        """The health routes tell no version, path or address."""
        for answer in routes.health:
            told = list(dict.fromkeys(_told(answer)))
            for each in told[:SHOWN]:
                yield broken(f"{answer.request} tells a stranger {each}", request(answer))
            if not told:
                yield holds(f"{answer.request} tells a stranger {answer.answer[:80]}", request(answer))


def _told(answer: Exchange) -> Iterator[str]:
    """Yield what an answer gives away."""
    try:
        document = json.loads(answer.answer)
    except (ValueError, RecursionError):
        document = None
    yield from (f"`{name}`" for name in _names(document) if name.lower() in TELLING)
    yield from (f"`{found}`" for found in TELLING_TEXT.findall(answer.answer))


def _names(document: Any) -> Iterator[str]:
    """Yield every name in a JSON document."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield name
            yield from _names(value)
    elif isinstance(document, list):
        for each in document:
            yield from _names(each)


class KeyHandling(Rule):
    """Keys are compared in constant time, never taken from an address, long enough, and can be changed without a gap.

    A comparison that stops at the first difference tells the key letter by letter; an address is kept in logs and
    histories; a default key is known to everybody.

    Remedy: `hmac.compare_digest`; read the header alone; refuse to start without a key, and with one that is empty,
    shorter than 32 characters or printed in the project's own files; accept each line of the key file.
    """

    id = "API-02"
    title = "Keys are handled with care"
    severity = Severity.HIGH
    references = ("OWASP API 2", "OWASP REST")

    @part
    def starts(self, keys: Keys) -> Iterator[Proof]:
        """Bad keys, and none, end the start."""
        for ran in (keys.none, *keys.refused):
            place = Place(subject=ran.command)
            if ran.code == 0:
                yield broken(f"{ran.command}: it serves", place)
            else:
                yield holds(f"{ran.command}: exit code {ran.code}", place)
        if keys.none.code and "key" not in keys.none.output.lower():
            yield broken(
                f"{keys.none.command}: no word of a key: {keys.none.output[-120:]}", Place(subject="docker logs")
            )

    @part
    def accepts(self, keys: Keys) -> Iterator[Proof]:
        """A key is taken from the header and from nowhere else, and each of two keys is."""
        query = keys.query
        yield (holds if query.status in REFUSED else broken)(f"{query}, wanted is 401 or 403", request(query))
        for answer in (*keys.rotation, keys.file):
            yield (holds if answer.status == OK else broken)(f"{answer}, wanted is 200", request(answer))

    @part
    def compares(self, sources: Sources) -> Iterator[Proof]:
        """Secrets are compared by compare_digest, and by nothing else."""
        digests = 0
        for path, text in sorted(sources.files.items()):
            try:
                nodes = list(ast.walk(ast.parse(text)))
            except (SyntaxError, ValueError, RecursionError):
                yield unknown(f"{path} is no Python that can be read")
                continue
            digests += sum(_last(node) == "compare_digest" for node in nodes)
            for node in nodes:
                if isinstance(node, ast.Compare) and _compares_secret(node):
                    where = Place(subject=ast.unparse(node), file=f"{sources.folder}/{path}", line=node.lineno)
                    yield broken(f"a secret is compared by {ast.unparse(node)[:80]}", where)
        place = Place(subject="compare_digest", file=sources.folder)
        yield (holds if digests else broken)(f"compare_digest is used {digests} times", place)


def _last(node: ast.AST) -> str:
    """Return the last part of a name: `api_key` of `settings.api_key`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _compares_secret(node: ast.Compare) -> bool:
    """Whether two values are compared of which one is named like a secret; a comparison with a constant is no guess."""
    sides = [node.left, *node.comparators]
    plain = any(isinstance(each, ast.Constant) for each in sides)
    equal = any(isinstance(each, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for each in node.ops)
    return equal and not plain and any(SECRET.search(_last(each)) for each in sides)
