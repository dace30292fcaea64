"""Commands that fetch dependencies: costly ones, which need lists of names and none of the project's own sources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.explain.nodes import Node

INSTALLERS = re.compile(
    r"\b(?:apt-get|apt|apk|dnf|yum|microdnf|tdnf) .*\b(?:install|add)\b"
    r"|\bpip3? (?:.* )?install\b|\buv (?:pip (?:.* )?(?:install|sync)|sync)\b|\bpoetry install\b|\bconda install\b"
    r"|\bnpm (?:ci|install)\b|\byarn install\b|\bpnpm install\b|\bgo mod download\b|\bbundle install\b|\bcargo fetch\b",
    re.DOTALL,
)
# What makes an installer build the project itself.
OWN_SOURCES = re.compile(
    r"\binstall\b.*\s(?:-e\s+\S+|\.{1,2}(?:/\S*)?)(?:\s|$|\[|;|&)|\buv sync\b(?!.*--no-install-project)"
)


def is_installer(node: Node) -> bool:
    """Whether a step fetches dependencies and nothing of the project itself."""
    return node.keyword == "RUN" and bool(INSTALLERS.search(node.text)) and not OWN_SOURCES.search(node.text)
