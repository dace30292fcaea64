"""An image -> its registry: sent, read back, signed, and verified before it is deployed."""

from dockyard.push.destination import Destination, destination
from dockyard.push.record import Record
from dockyard.push.send import Pushed, send
from dockyard.push.signature import Signer, sign, signer, verifier, verify

__all__ = ["Destination", "Pushed", "Record", "Signer", "destination", "send", "sign", "signer", "verifier", "verify"]
