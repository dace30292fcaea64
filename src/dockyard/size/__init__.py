"""What the bytes of an image are: by layer, Python distribution, folder and kind; what is wasted, what changed."""

from dockyard.size.budget import Breach, check, require
from dockyard.size.compare import Change, Comparison, compare
from dockyard.size.distributions import Distribution, keeps
from dockyard.size.measure import Base, LayerSize, Measured, Share, folders, kinds, measure
from dockyard.size.sized import Sized
from dockyard.size.waste import Act, Duplicate, Hidden, Waste

__all__ = [
    "Act",
    "Base",
    "Breach",
    "Change",
    "Comparison",
    "Distribution",
    "Duplicate",
    "Hidden",
    "LayerSize",
    "Measured",
    "Share",
    "Sized",
    "Waste",
    "check",
    "compare",
    "folders",
    "keeps",
    "kinds",
    "measure",
    "require",
]
