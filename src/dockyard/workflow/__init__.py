"""A workflow of GitHub Actions, read and run on this machine: what CI does is written once."""

from __future__ import annotations

from dockyard.workflow.legs import Leg, legs
from dockyard.workflow.local import Local, prepared
from dockyard.workflow.perform import Outcome, StepFailedError, perform
from dockyard.workflow.read import Job, Step, Workflow, read

__all__ = [
    "Job",
    "Leg",
    "Local",
    "Outcome",
    "Step",
    "StepFailedError",
    "Workflow",
    "legs",
    "perform",
    "prepared",
    "read",
]
