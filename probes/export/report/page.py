"""Puts the page together: one file, nothing loaded, nothing run but its own scripts.

The policy in the page names the scripts and styles by their hashes and forbids all else: even a
name that got past the escaping could not run. Data is no script: it is read as JSON, and what is
made of it is made with `textContent`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, BinaryIO

from perftui.probes.export.report.chart_library import chart_library
from perftui.probes.export.report.data import report_data
from perftui.probes.export.report.stack_grid import MOST_CELLS

if TYPE_CHECKING:
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader

MOST_BYTES = 5_500_000
"""Of data, so that the page stays below 6 MB."""
STYLES = ("palette.css", "page.css", "panels.css")
SCRIPTS = (
    "words.js",
    "stacks.js",
    "choice.js",
    "timelines.js",
    "folding.js",
    "flame.js",
    "tables.js",
    "imports.js",
    "page.js",
)
"""In the order in which they need each other."""


def write(reader: RecordedReader, part: Slice, out: BinaryIO) -> None:
    """Write the page of a part of a recording.

    Raises:
        ExportError: the charting library is not installed.
    """
    library = chart_library()
    for most_cells in (MOST_CELLS, MOST_CELLS // 4, MOST_CELLS // 16):
        data = report_data(reader, part, most_cells)
        json_data = embedded(data).encode()
        if len(json_data) < MOST_BYTES:
            break
    style = "\n".join([library.style, *map(_file, STYLES)])
    # Each in a function of its own would hide them from each other; one script is one hash.
    script = "\n".join(map(_file, SCRIPTS))
    page = _file("page.html")
    for name, value in (
        ("policy", policy([library.script, script], [style])),
        ("title", escape(data["title"])),
        ("style", style),
        ("library", library.script),
        ("script", script),
    ):
        page = page.replace(f"<!--{name}-->", value, 1)
    head, tail = page.split("<!--data-->")
    out.write(head.encode())
    out.write(json_data)
    out.write(tail.encode())


def policy(scripts: list[str], styles: list[str]) -> str:
    """Return a content security policy that allows these texts and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {' '.join(map(_hash, styles))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def embedded(data: Any) -> str:
    """Return data as JSON that can stand in a page: without anything that could end its element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
