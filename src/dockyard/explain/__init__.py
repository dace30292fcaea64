"""Why each step of a build ran or was cached, and which ones an edit would run."""

from dockyard.explain.cause import Cause, Kind
from dockyard.explain.forecast import forecast
from dockyard.explain.gather import gather
from dockyard.explain.marks import marks
from dockyard.explain.nodes import Graph
from dockyard.explain.records import Record, Records, read
from dockyard.explain.store import Store
from dockyard.explain.story import Explanation, Hint, Note, Outcome, StepStory
from dockyard.explain.tell import tell
from dockyard.explain.timeline import Span, timeline

__all__ = [
    "Cause",
    "Explanation",
    "Graph",
    "Hint",
    "Kind",
    "Note",
    "Outcome",
    "Record",
    "Records",
    "Span",
    "StepStory",
    "Store",
    "forecast",
    "gather",
    "marks",
    "read",
    "tell",
    "timeline",
]
