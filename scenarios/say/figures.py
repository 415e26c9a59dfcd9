"""The figures behind the tables that scenarios print, for programs: raw numbers as JSON lines.

    PERFTUI_FIGURES=FILE perftui run cold-start --headless

Every line is an object: "table" names what it is a row of, all else are its cells, in seconds,
bytes and counts. Tables round to three digits and show medians; here is every single run. Without
the variable nothing is written.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE = "PERFTUI_FIGURES"

Figure = str | int | float | bool | None


def hand_over(table: str, **cells: Figure | Sequence[Figure] | dict[str, float]) -> None:
    """Append one row to the file that the environment names, if it names one.

    Args:
        table: What this is a row of: "cold start".
        cells: Units belong into their names: `import_s`, `grown_bytes`. Unknown is None.

    Raises:
        ScenarioError: The file cannot be written.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        return
    line = json.dumps({"table": table, **cells}, allow_nan=False) + "\n"
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise ScenarioError(
            f"cannot write {name}, which {VARIABLE} names: {error.strerror or error}"
        ) from None


def read_figures(file: Path) -> list[dict[str, Figure]]:
    """All rows of a file that scenarios wrote; none if they wrote no file."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
