"""Finds the line of the Dockerfile that made a layer, from the image's history."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard.dockerfile import Dockerfile, Stage
    from dockyard.image import Image

LEGACY = "/bin/sh -c "


def lines_of_layers(dockerfile: Dockerfile, image: Image, stage: Stage | None = None) -> dict[int, int]:
    """Return layer index to line; the layers of the base have the line of the stage's FROM.

    BuildKit writes one step of history for each instruction of the stages that lead to the image, in their order, after
    those of the base. An image that does not fit the Dockerfile so has no lines: better none than wrong ones.

    Args:
        dockerfile: What the image is taken to be made by.
        image: The image.
        stage: The stage that it is; None is the last one.
    """
    stage = stage or dockerfile.final
    lineage = dockerfile.lineage(stage)
    made = [each for each in lineage if each.keyword != "FROM"]
    first = len(image.history) - len(made)
    steps = image.history[max(first, 0) :]
    if first < 0 or not all(_is_of(step.created_by, each.keyword) for step, each in zip(steps, made, strict=True)):
        return {}
    lines = {step.layer: each.line for step, each in zip(steps, made, strict=True) if step.layer is not None}
    base = next((each.line for each in lineage if each.keyword == "FROM"), stage.line)
    return {layer.index: lines.get(layer.index, base) for layer in image.layers}


def _is_of(created_by: str, keyword: str) -> bool:
    """Whether a step of history is of an instruction; the legacy builder writes `/bin/sh -c #(nop)  ENV …`."""
    told = created_by.removeprefix(LEGACY).removeprefix("#(nop)").strip()
    return told.startswith(keyword) or (keyword == "RUN" and created_by.startswith(LEGACY))
