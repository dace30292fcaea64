"""What BuildKit attests of a build -> what of it is missing, extra or different from what was asked."""

from dockyard.provenance.compare import Finding, compare
from dockyard.provenance.statement import SLSA, Statement, statements

__all__ = ["SLSA", "Finding", "Statement", "compare", "statements"]
