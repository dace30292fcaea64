"""Whether a build gives the same bytes twice; if not, the first that differ, who made them, how, and what helps."""

from dockyard.reproduce.compare import Comparison, compare
from dockyard.reproduce.difference import Difference, How, Place, Seen
from dockyard.reproduce.twice import Rebuilt, build_beside, build_twice

__all__ = ["Comparison", "Difference", "How", "Place", "Rebuilt", "Seen", "build_beside", "build_twice", "compare"]
