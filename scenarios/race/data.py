"""The process that makes the data of a race: `python -m perftui.scenarios.race.data PAIR ...`.

It also reads them once, so that both sides find them in the page cache: the one that goes first
would otherwise wait for the disk in the other's place.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from perftui.probes.own.python import own_module
from perftui.scenarios.data.cache import written_bytes
from perftui.scenarios.data.orders import ARROW_BYTES_PER_ROW, orders, orders_name, rows_for
from perftui.scenarios.data.orders_lance import lance_parts, lance_parts_name
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.say.process_memory import check_memory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import FrameType
    from typing import NoReturn

_CHUNK_BYTES = 1 << 20


def data_command(engine: str, size_bytes: int) -> list[str]:
    """The argv of the process that makes the data for an engine."""
    return own_module("perftui.scenarios.race.data", engine, str(size_bytes))


def data_bytes(engine: str, size_bytes: int) -> int:
    """How much of the data is there already, also while they are made."""
    rows = rows_for(size_bytes)
    lance = written_bytes(lance_parts_name(rows)) if engine == "lance" else 0
    return written_bytes(orders_name(rows)) + lance


def needed_bytes(engine: str, size_bytes: int) -> int:
    """How much there will be, about."""
    return size_bytes * (2 if engine == "lance" else 1)


def main(argv: Sequence[str]) -> int:
    """Make the data of `argv`: engine, bytes."""
    signal.signal(signal.SIGTERM, _unwind)
    engine, size_bytes = argv[0], int(argv[1])
    rows = rows_for(size_bytes)
    try:
        # Seen before anything is written: one of the sides keeps it all.
        check_memory(rows * ARROW_BYTES_PER_ROW, "collecting", "choose a smaller --size")
        files = lance_parts(rows) if engine == "lance" else orders(rows)
    except ScenarioError as error:
        print(f"perftui: {error}", file=sys.stderr)
        return 2
    for file in files:
        _read(file)
    return 0


def _unwind(number: int, _frame: FrameType | None) -> NoReturn:
    """End in order: what is half written is removed."""
    raise SystemExit(128 + number)


def _read(path: Path) -> None:
    for file in [path] if path.is_file() else path.rglob("*"):
        if file.is_file():
            with file.open("rb", buffering=0) as handle:
                while handle.read(_CHUNK_BYTES):
                    pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
