"""The reader of saved images: one pass over the archive, nothing extracted to disk."""

from dockyard.image.attested import Attested, attested
from dockyard.image.keep import keep_known
from dockyard.image.model import Entry, HistoryStep, Image, Layer, Match, Pattern, Removed
from dockyard.image.reader import read

__all__ = [
    "Attested",
    "Entry",
    "HistoryStep",
    "Image",
    "Layer",
    "Match",
    "Pattern",
    "Removed",
    "attested",
    "keep_known",
    "read",
]
