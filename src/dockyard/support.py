"""Until when systems and Pythons get security fixes; what IMG-12 judges and `invoke pin` warns by. Written 2026-11-23.

Sources: Debian, wiki.debian.org/DebianReleases and wiki.debian.org/LTS; Ubuntu, wiki.ubuntu.com/Releases (standard
support; ESM needs a subscription and is not counted); Alpine, alpinelinux.org/releases; Python,
devguide.python.org/versions, which gives months: their last day counts. A release that is not here is unknown, and
both then say so, or nothing, instead of guessing. Debian's end of regular support for 12 was announced as 2026-06-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Support:
    """Last days of support; `lts` is None where there is one window only."""

    regular: date
    lts: date | None = None


def _until(regular: str, lts: str = "") -> Support:
    return Support(regular=date.fromisoformat(regular), lts=date.fromisoformat(lts) if lts else None)


SYSTEMS = {
    "debian": {
        "9": _until("2020-07-18", "2022-06-30"),
        "10": _until("2022-09-10", "2024-06-30"),
        "11": _until("2024-08-14", "2026-08-31"),
        "12": _until("2026-06-10", "2028-06-30"),
        "13": _until("2028-08-09", "2030-06-30"),
    },
    "ubuntu": {
        "18.04": _until("2023-05-31"),
        "20.04": _until("2025-05-31"),
        "22.04": _until("2027-04-01"),
        "23.04": _until("2024-01-20"),
        "23.10": _until("2024-07-11"),
        "24.04": _until("2029-04-25"),
        "24.10": _until("2025-07-10"),
        "25.04": _until("2026-01-17"),
        "25.10": _until("2026-07-01"),
        "26.04": _until("2031-04-30"),
    },
    "alpine": {
        "3.16": _until("2024-05-23"),
        "3.17": _until("2024-11-22"),
        "3.18": _until("2025-05-09"),
        "3.19": _until("2025-11-01"),
        "3.20": _until("2026-04-01"),
        "3.21": _until("2026-11-01"),
        "3.22": _until("2027-05-01"),
        "3.23": _until("2027-11-01"),
    },
}
DEBIAN_NAMES = {"stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13"}
PYTHON = {
    "2.7": _until("2020-01-01"),
    "3.6": _until("2021-12-23"),
    "3.7": _until("2023-06-27"),
    "3.8": _until("2024-10-31"),
    "3.9": _until("2025-10-31"),
    "3.10": _until("2026-10-31"),
    "3.11": _until("2027-10-31"),
    "3.12": _until("2028-10-31"),
    "3.13": _until("2029-10-31"),
    "3.14": _until("2030-10-31"),
}
