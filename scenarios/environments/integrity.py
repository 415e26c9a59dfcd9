"""What is installed in an environment, and whether it is still what was installed.

By the metadata that every installer writes (PyPA "Recording installed projects"): each
distribution has a RECORD, a CSV of its files with hash and size. The text of all of them is the
fingerprint of the environment; every file that they name must be there in its size. The content
of hundreds of megabytes is not read again: that would cost what keeping the environment saves.
"""

from __future__ import annotations

import csv
import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Distributions(NamedTuple):
    """The distributions of one environment."""

    versions: dict[str, str]
    """Normalized name -> version, by name."""
    fingerprint: str
    """SHA-256 over every distribution's list of files, hex."""


def installed(site_packages: Path) -> Distributions:
    """Read what is installed.

    Args:
        site_packages: The folder of the packages.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    versions: dict[str, str] = {}
    for folder in _metadata_folders(site_packages):
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
        versions[normalized(name)] = version
        digest.update(folder.name.encode())
        record = folder / "RECORD"
        digest.update(record.read_bytes() if record.is_file() else b"")
    return Distributions(dict(sorted(versions.items())), digest.hexdigest())


def damage(site_packages: Path) -> str | None:
    """Say what of the recorded files is missing or has another size; None if nothing is.

    Args:
        site_packages: The folder of the packages.
    """
    for folder in _metadata_folders(site_packages):
        record = folder / "RECORD"
        if not record.is_file():
            return f"{folder.name} has no RECORD"
        with record.open(encoding="utf-8", newline="") as lines:
            for row in csv.reader(lines):
                if len(row) != 3 or not row[2].isdigit():
                    continue  # compiled files: not said how large
                if row[0].endswith(".dist-info/RECORD"):
                    continue  # of itself it cannot tell
                try:
                    size = os.stat(site_packages / row[0]).st_size  # noqa: PTH116 - thousands
                except OSError:
                    return f"{row[0]} is missing"
                if size != int(row[2]):
                    return f"{row[0]} has {size} bytes, not {row[2]}"
    return None


def normalized(name: str) -> str:
    """Return a distribution's name as PyPA's specification compares it."""
    return name.lower().replace("_", "-").replace(".", "-")


def _metadata_folders(site_packages: Path) -> Iterator[Path]:
    return iter(sorted(site_packages.glob("*.dist-info")))
