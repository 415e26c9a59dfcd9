"""Which source files are ours: by their place, whatever their names are."""

from __future__ import annotations

from pathlib import Path

import pytest

from perftui.probes.spine import calltree
from perftui.probes.spine.calltree import own_path

ROOT = Path(calltree.__file__).parents[2]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (f"{ROOT}/probes/spine/calltree.py", "probes/spine/calltree.py"),
        (f"{ROOT}/scenarios/catalogue/loader.py", "scenarios/catalogue/loader.py"),
        (f"{ROOT}/benchmarks/verdict_programs/iterrows.py", None),
        (f"{ROOT}/tests/probes/spine/test_own_path.py", None),
        ("/v/lib/python3.12/site-packages/perftui/tui/app.py", "tui/app.py"),
        ("/home/me/probes/spine/calltree.py", None),
    ],
)
def test_a_file_is_ours_by_its_place(file: str, told: str | None) -> None:
    """What lies beside the package in a checkout is a program like any other."""
    assert own_path(file) == told
