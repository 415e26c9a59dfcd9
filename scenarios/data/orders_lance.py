"""The orders as a Lance dataset. It is written by another process: Lance's import and memory
would otherwise be part of what is watched.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from perftui.probes.own.python import own_module
from perftui.scenarios.data.cache import dataset
from perftui.scenarios.data.orders import BYTES_PER_ROW, orders
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NAME = "orders.lance"
_POLL_S = 0.05


def lance_orders(rows: int) -> Path:
    """The Lance dataset with the same rows as `orders(rows)`."""
    files = orders(rows)

    def generate(folder: Path) -> None:
        _write(folder / _NAME, files)

    folder = dataset(f"orders-lance-v1-{rows}-rows", rows * BYTES_PER_ROW, generate)
    return folder / _NAME


def lance_parts_name(rows: int) -> str:
    """The name of `lance_parts` in the cache."""
    return f"orders-lance-parts-v1-{rows}-rows"


def lance_parts(rows: int) -> list[Path]:
    """The same rows as `orders(rows)`, each part file as a Lance dataset."""
    files = orders(rows)

    def generate(folder: Path) -> None:
        for file in files:
            _write(folder / f"{file.stem}.lance", [file])

    folder = dataset(lance_parts_name(rows), rows * BYTES_PER_ROW, generate)
    return sorted(folder.glob("*.lance"))


def _write(target: Path, files: Sequence[Path]) -> None:
    argv = own_module("perftui.scenarios.data.orders_lance", str(target), *map(str, files))
    done = subprocess.run(argv, stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        why = said[-1] if said else f"its writer ended with exit code {done.returncode}"
        raise ScenarioError(f"cannot write the Lance data to {target.parent}: {why[:300]}")


def _end_with_parent() -> None:
    """End when the scenario that wants the data is gone: the next one writes to the same place."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(argv: Sequence[str]) -> int:
    """Write the dataset argv[0] from the Parquet files argv[1:]."""
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # on Ctrl-C the scenario itself has the word
    import lance
    import pyarrow.dataset as ds

    source = ds.dataset(list(argv[1:]))
    lance.write_dataset(source.to_batches(), argv[0], schema=source.schema)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
