"""GitHub's `${{ … }}`: what can be known on this machine, and what cannot, which is said and never guessed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
# What GitHub's runner sets and this machine has not; the summary of a job is a file that anybody can give.
RUNNERS = re.compile(r"\$\{?((?:GITHUB|RUNNER|ACTIONS)_(?!STEP_SUMMARY\b)\w+)")
# These hold as long as nothing has failed, and after a failure nothing is run here.
HOLDS = frozenset({"", "success()", "always()", "!cancelled()", "!failure()", "true"})
FAILURES = frozenset({"failure()", "cancelled()", "false"})


class UnknownError(Exception):
    """Something that GitHub alone knows; its text is a sentence without its end."""


def expand(text: str, known: Mapping[str, str]) -> str:
    """Return a text with its expressions filled in.

    Args:
        text: As the workflow has it.
        known: For instance {"matrix.python": "3.12"}.

    Raises:
        UnknownError: It holds one that cannot be known here.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise UnknownError(f"GitHub alone knows {found[0]}")
        return known[found[1]]

    return EXPRESSION.sub(value, text)


def require_ours(script: str) -> None:
    """Refuse a command that reads what the runner alone sets.

    Raises:
        UnknownError: It does.
    """
    found = RUNNERS.search(script)
    if found:
        raise UnknownError(f"GitHub alone sets ${found[1]}")


def require_true(condition: str) -> None:
    """Refuse what is not to be done while all goes well, and what only GitHub can decide.

    Raises:
        UnknownError: It is one of them.
    """
    bare = condition.strip()
    bare = bare.removeprefix("${{").removesuffix("}}").strip() if bare.startswith("${{") else bare
    if bare in FAILURES:
        raise UnknownError(f"only if {bare}")
    if bare not in HOLDS:
        raise UnknownError(f"GitHub alone can decide: if {' '.join(bare.split())}")
