"""Dockerfile -> tree: read as BuildKit's own frontend reads it, without an engine.

Where BuildKit's releases differ, the newest is followed. What only a build can tell is not looked at: whether a file to
copy is there, and whether a port, a signal, a user or a mode is one.
"""

from dockyard.dockerfile.problem import DockerfileError
from dockyard.dockerfile.read import load, parse
from dockyard.dockerfile.tree import Dockerfile, External, Flag, Heredoc, Instruction, Mount, Stage

__all__ = [
    "Dockerfile",
    "DockerfileError",
    "External",
    "Flag",
    "Heredoc",
    "Instruction",
    "Mount",
    "Stage",
    "load",
    "parse",
]
