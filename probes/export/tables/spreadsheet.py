"""CSV that a spreadsheet may open: no cell of it is run.

Spreadsheets take a cell that begins with one of a few signs for a formula, quoted or not, and a
formula can start programs and send what stands in other cells. Names and log lines come from any
program. An apostrophe in front makes it text; a number, which can do nothing, stays a number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_FORMULA = "^[=+\\-@\\t\\r\\n＝＋－＠]"
_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_formula, _number = re.compile(_FORMULA), re.compile(_NUMBER)


def is_meant_for(path: Path, *, many: bool = False) -> bool:
    """Tell whether somebody is likely to open a file with a spreadsheet: it is called .csv.

    Args:
        path: The file.
        many: It is a folder or an archive of such files.
    """
    return many or path.suffix.lower() == ".csv"


class Guard:
    """Takes the formulas out of cells, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def cell(self, value: Any) -> Any:
        """Return a cell as a spreadsheet may have it; what is not text is no formula."""
        if not isinstance(value, str) or not _formula.match(value) or _number.match(value):
            return value
        self.count += 1
        return "'" + value

    def parts(self, parts: Iterable[Any]) -> Iterator[Any]:
        """Yield pieces of a `pyarrow.Table` with all of their cells guarded."""
        for part in parts:
            yield self._table(part)

    def _table(self, table: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        for at, field in enumerate(table.schema):
            if not pa.types.is_string(field.type):
                continue
            cells = table.column(at)
            formula = pc.match_substring_regex(cells, _FORMULA)
            number = pc.match_substring_regex(cells, _NUMBER)
            found = pc.and_(formula, pc.invert(number))
            count = pc.sum(found).as_py() or 0
            if count:
                self.count += count
                guarded = pc.binary_join_element_wise("'", cells, "")
                table = table.set_column(at, field, pc.if_else(found, guarded, cells))
        return table

    def line(self) -> str | None:
        """Say what was changed, None if nothing was."""
        if not self.count:
            return None
        cells = "1 cell begins" if self.count == 1 else f"{self.count:,} cells begin"
        return (
            f"{cells} like a formula and got a ' in front, because spreadsheets run those; "
            "--no-spreadsheet writes them as they are"
        )
