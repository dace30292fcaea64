"""What is in an image, as CycloneDX: packages, distributions, the Python, the base, the models; their licences."""

from dockyard.sbom.bill import INSTALLED, KINDS, LICENSED, Bill, Component, Kind, Licence
from dockyard.sbom.compare import Change, Comparison, compare
from dockyard.sbom.contents import bill, installed, keeps, unread
from dockyard.sbom.document import document, written
from dockyard.sbom.listed import Listed, listed, of_document, parts, read
from dockyard.sbom.listing import Listing
from dockyard.sbom.models import is_model
from dockyard.sbom.policy import Violation, check, require

__all__ = [
    "INSTALLED",
    "KINDS",
    "LICENSED",
    "Bill",
    "Change",
    "Comparison",
    "Component",
    "Kind",
    "Licence",
    "Listed",
    "Listing",
    "Violation",
    "bill",
    "check",
    "compare",
    "document",
    "installed",
    "is_model",
    "keeps",
    "listed",
    "of_document",
    "parts",
    "read",
    "require",
    "unread",
    "written",
]
