"""A secret's value -> the mark that stands for it in BuildKit's cache: random, so that nothing can be guessed of it."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from dockyard.explain.store import Store
from dockyard.state import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dockyard.state import State

MARKS = "explain/marks.json"
MARK_BYTES = 8
# Of so many values of each secret the mark is known again: one that is taken back finds its steps in the cache.
MOST_VALUES = 20


def marks(given: Mapping[str, Path], state: State) -> dict[str, str]:
    """Return a mark for each secret: another one for each value, and the same one for the same value.

    Args:
        given: Secret id to the file that holds it.
        state: Where marks are kept, beside salted hashes of the values.
    """
    store = Store(state)
    kept = state.read_record(MARKS) or {}
    found = {}
    for name, path in given.items():
        if path.is_file():
            salted = store.salted(path.read_bytes())
            known = dict(kept.get(name, ()))
            found[name] = known.pop(salted, "") or secrets.token_hex(MARK_BYTES)
            kept[name] = [*known.items(), (salted, found[name])][-MOST_VALUES:]
    state.write(MARKS, json.dumps(kept).encode(), mode=PRIVATE)
    return found
