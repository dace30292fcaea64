"""One verified archive that has everything an image is built from, for machines without any network."""

from dockyard.bundle.fetch import Fetched, Fetching
from dockyard.bundle.images import is_there, load, name_of_loaded, save
from dockyard.bundle.listed import bill_of_wheels
from dockyard.bundle.locks import Lock, locks_of, name_of
from dockyard.bundle.loose import Loose, loose_of
from dockyard.bundle.manifest import FOLDERS, KINDS, Kind, Manifest, Matrix, Member, SavedImage
from dockyard.bundle.missing import WHEELS, Need, changed, missing
from dockyard.bundle.pack import put, staged, staging, write
from dockyard.bundle.read import Verified, verify

__all__ = [
    "FOLDERS",
    "KINDS",
    "WHEELS",
    "Fetched",
    "Fetching",
    "Kind",
    "Lock",
    "Loose",
    "Manifest",
    "Matrix",
    "Member",
    "Need",
    "SavedImage",
    "Verified",
    "bill_of_wheels",
    "changed",
    "is_there",
    "load",
    "locks_of",
    "loose_of",
    "missing",
    "name_of",
    "name_of_loaded",
    "put",
    "save",
    "staged",
    "staging",
    "verify",
    "write",
]
