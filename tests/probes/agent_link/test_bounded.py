"""A container's type says to which bound the code keeps it, if the source is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.agent_link.bounded import with_bound
from perftui.probes.spine.records import Keeper

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
ROWS = []

def keep(row):
    ROWS.append(row)
    if len(ROWS) > 900:
        ROWS.pop(0)
"""


def keeper(fills: str, kind: str = "list") -> Keeper:
    return Keeper(5, 1, 0, "etl.ROWS", kind, "bytes", 10, 20, 1000, False, fills)


def test_the_bound_stands_behind_the_type(tmp_path: Path) -> None:
    file = tmp_path / "etl.py"
    file.write_text(SOURCE)
    other = f"other\t{tmp_path / 'gone.py'}\t3\n"
    told = keeper(f"{other}keep\t{file}\t4")
    assert with_bound(told) == told._replace(type="list(len<=900 at etl.py:6)")
    assert with_bound(keeper(f"keep\t{file}\t4", "deque(maxlen=9)")).type == "deque(maxlen=9)"


def test_without_its_source_it_stays_as_it_was_told(tmp_path: Path) -> None:
    file = tmp_path / "etl.py"
    for text in (None, "\n" + SOURCE, "def keep(:", SOURCE.replace("def keep", "def other")):
        if text is not None:
            file.write_text(text)
        told = keeper(f"keep\t{file}\t4")
        assert with_bound(told) == told
    for fills in ("", "keep", "keep\t<string>\t4", f"keep\t{tmp_path}\t4", f"keep\t{file}\tx"):
        assert with_bound(keeper(fills)) == keeper(fills)
