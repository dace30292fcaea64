"""The images that a Dockerfile names itself, beside the base that it is given: by tag, so that they can be pinned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard.dockerfile.tree import Dockerfile, External

# A reference may name the public registry, and the tag that is meant where none is, or leave them out.
MEANT = re.compile(r"^((index[.])?docker[.]io/)?(library/)?|:latest$")


def pinnable(tree: Dockerfile, base: str) -> Iterator[External]:
    """Yield each image that is named without a digest, once; what it is given as its base is none of them."""
    seen = {base}
    for each in tree.outside:
        if "@" not in each.reference and each.reference not in seen:
            seen.add(each.reference)
            yield each


def meant(reference: str) -> str:
    """Return a reference without the public registry's name and the tag that is meant anyway."""
    return MEANT.sub("", reference)


def hiding(tree: Dockerfile, reference: str) -> str:
    """Return the stage that has the name of an image; BuildKit would take what replaces the image for that stage.

    Args:
        tree: The Dockerfile.
        reference: Of the image.
    """
    name = meant(reference)
    return next((each.name for each in tree.stages if each.name == name), "")


def platform_arguments(platform: str) -> dict[str, str]:
    """Return the ARGs that BuildKit sets for a platform; none for the engine's own, which is empty."""
    if not platform:
        return {}
    system, architecture, variant, *_ = [*platform.split("/"), "", ""]
    parts = {"PLATFORM": platform, "OS": system, "ARCH": architecture, "VARIANT": variant}
    return {f"TARGET{name}": value for name, value in parts.items()}
