"""What is pinned: what a base has in it, what moved since, when its support ends; and the locks of requirements."""

from dockyard.pin.contents import Contents, contents, keeps
from dockyard.pin.ends import End, ends
from dockyard.pin.locks import Compiled, LockFile, compile_locks, write_locks
from dockyard.pin.moved import Moved, moved
from dockyard.pin.outcome import Outcome, State, require

__all__ = [
    "Compiled",
    "Contents",
    "End",
    "LockFile",
    "Moved",
    "Outcome",
    "State",
    "compile_locks",
    "contents",
    "ends",
    "keeps",
    "moved",
    "require",
    "write_locks",
]
