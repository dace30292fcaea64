"""This repository's Invoke tasks: dockyard's own, as any service takes them, and the training of its service."""

import shlex
import sys

from invoke.context import Context
from invoke.tasks import task

from dockyard.tasks import collection

__all__ = ["namespace"]


@task
def train(context: Context) -> None:
    """Train the model anew; `invoke train -- --help` lists the options."""
    uv = [sys.executable, "-m", "uv", "run", "--no-project", "--isolated", "--python", sys.executable, "--quiet"]
    program = ["--with-requirements", "requirements/train.txt", "python", "-m", "house_pricing.train"]
    context.run(shlex.join([*uv, *program, *shlex.split(context.remainder)]), env={"PYTHONPATH": "src"})


namespace = collection(train)
