"""The kernel's own peak of a control group."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perftui.probes.machine.memory import group_peak_bytes, group_peak_file

if TYPE_CHECKING:
    from pathlib import Path


def test_what_stands_there_or_nothing(tmp_path: Path) -> None:
    file = tmp_path / "memory.peak"
    assert group_peak_bytes(None) is None
    assert group_peak_bytes(file) is None
    file.write_text("12345\n")
    assert group_peak_bytes(file) == 12345
    file.write_text("max\n")
    assert group_peak_bytes(file) is None


def test_of_this_process_if_its_group_has_one() -> None:
    file = group_peak_file(os.getpid())
    if file is not None:
        peak = group_peak_bytes(file)
        assert peak is None or peak > 1_000_000
    assert group_peak_file(2**22 + 1) is None
