"""The charting library of the page: uPlot, from a package that ships it.

It is not part of perftui. Its package is looked up and not imported: what is needed of it are
two files for the browser.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from perftui.probes.export.material.error import ExportError

SCRIPT = "static/uPlot.iife.js"
STYLE = "static/uPlot.min.css"


class ChartLibrary(NamedTuple):
    """What the page embeds."""

    script: str
    """Defines `uPlot`."""
    style: str


def chart_library() -> ChartLibrary:
    """Return the library.

    Raises:
        ExportError: it is not installed; the message says how to put that right.
    """
    spec = find_spec("uplot")
    for folder in (spec.submodule_search_locations if spec is not None else None) or ():
        script, style = Path(folder, SCRIPT), Path(folder, STYLE)
        if script.is_file() and style.is_file():
            return ChartLibrary(
                script.read_text(encoding="utf-8"), style.read_text(encoding="utf-8")
            )
    raise ExportError(
        "--format html draws its timelines with uPlot, which is not installed: "
        "pip install 'perftui[report]'"
    )
