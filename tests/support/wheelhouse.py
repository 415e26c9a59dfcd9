"""A package in three releases, built here: installers get it from a folder and ask no index."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = ("1.0", "1.1", "2.0")
SOURCE = """
import {imported}

VERSION = {version!r}
KEPT = []


def work():
    import colorsys
    KEPT.append(bytearray({kept}))
    return VERSION
"""
KEPT_BYTES = {"1.0": 1, "1.1": 1, "2.0": 40_000_000}
"""What a call keeps: 2.0 is the first that leaks."""
IMPORTED = {"1.0": "sys", "1.1": "xml.dom.minidom", "2.0": "xml.dom.minidom"}
"""1.1 is the first that imports something of its own accord."""


def build(folder: Path) -> Path:
    """Write the wheels of `widget` into a folder; returns it."""
    for version in VERSIONS:
        source = SOURCE.format(
            version=version, kept=KEPT_BYTES[version], imported=IMPORTED[version]
        )
        wheel(folder, "widget", version, {"widget/__init__.py": source})
    return folder


def wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """Write a wheel (PyPA "Binary distribution format") of some files of text."""
    info = f"{name}-{version}.dist-info"
    all_files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = ""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in all_files.items():
            archive.writestr(file, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record += f"{file},sha256={digest.decode().rstrip('=')},{len(text.encode())}\n"
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def environment_variables(folder: Path) -> dict[str, str]:
    """Return what has pip and uv look into the folder and nowhere else."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": "/dev/null",
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(folder),
        "UV_NO_CONFIG": "1",
    }
