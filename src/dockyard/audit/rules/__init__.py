"""The rules, one file per family; a family too long for one file has several that begin with its name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from dockyard.audit.rule import rules_of

if TYPE_CHECKING:
    from dockyard.audit.rule import Rule

FAMILIES = {
    "SEED": "the claims of the report that dockyard was made for",
    "IMG": "what the image contains",
    "SEC": "secrets, in every layer and at run time",
    "RT": "confinement, and that the service works under it",
    "HLT": "health states that tell the truth",
    "LOG": "logs that can be trusted",
    "API": "what the service lets strangers do",
    "SUP": "the supply chain",
    "K8S": "Kubernetes manifests",
}


def _all() -> tuple[type[Rule], ...]:
    """Return every rule of every module beside this one, by family and number."""
    modules = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
    found = [rule for module in modules for rule in rules_of(module)]
    return tuple(sorted(found, key=lambda rule: (list(FAMILIES).index(rule.id.partition("-")[0]), rule.id)))


ALL = _all()
