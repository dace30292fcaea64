"""Package URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def purl(kind: str, name: str, version: str, *, within: str = "", qualifiers: Mapping[str, str] | None = None) -> str:
    """Return a package URL; an empty text for names of which none can be made.

    Args:
        kind: For instance deb.
        name: Of the package.
        version: Of it.
        within: Its namespace, for instance debian.
        qualifiers: Empty ones are left out.
    """
    from packageurl import PackageURL  # noqa: PLC0415 - only for those who list

    try:
        told = PackageURL(kind, within or None, name, version, qualifiers=dict(qualifiers or {})).to_string()
        PackageURL.from_string(told)
    except (TypeError, ValueError):
        # Slashes and blanks alone are taken for no name.
        return ""
    return str(told)
