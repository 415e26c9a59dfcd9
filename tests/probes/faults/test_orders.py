"""perftui's own processes killed, stopped and continued in random order.

The long form, 200 trials, is `benchmarks/fault_orders.py`; its table is in docs/faults.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.faults.orders import trial

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "seed", ["ci-0", *(pytest.param(f"ci-{n}", marks=pytest.mark.live) for n in range(1, 6))]
)
def test_whatever_is_done_to_perftui_the_program_goes_on(tmp_path: Path, seed: str) -> None:
    outcome = trial(tmp_path, seed)
    assert not outcome.lost, outcome
