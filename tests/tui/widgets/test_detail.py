"""The line that tells of a frame: who and where first, figures as far as there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.screens.pane_stage import Stage, on_stage, text_of

from perftui.probes.profile.sums import Amount
from perftui.tui.text.fit import width_of
from perftui.tui.widgets.flame.detail import Detail, FrameDetail

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

S = 1_000_000_000
WHOLE = Amount(*[12 * S, 3 * S, 5_000_000], *[0] * (len(Amount._fields) - 3))


def told(file: str, function: str = "process_request_thread") -> FrameDetail:
    lines = ((2, WHOLE),)
    note = "hottest of your code"
    return FrameDetail(function, file, 2, WHOLE, WHOLE, 1.0, 0.01, "wall", lines, note)


@pytest.mark.parametrize("width", [60, 80, 110, 160])
def test_name_and_line_are_whole_at_every_width(width: int, tmp_path: Path) -> None:
    script = tmp_path / "service.py"
    script.write_text("import time\n" + "call(" + "x" * 200 + ")\n")
    detail = Detail()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        detail.styles.height = 6
        await pilot.pause()
        detail.tell(told(str(script)))
        first, *source = text_of(detail).splitlines()
        assert "process_request_thread" in first
        assert "service.py:2" in first
        assert "total 12.0 s" in first
        assert width_of(first) <= width
        assert not first.rstrip().endswith("…"), "figures are whole or not there"
        hot = next(line for line in source if "call(" in line)
        assert "◀ 12.0 s" in hot, "the mark is seen behind a long line, too"
        assert "…" in hot

    on_stage(detail, play, (width, 20))


def test_a_long_name_leaves_room_for_its_place() -> None:
    detail = Detail()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        detail.tell(told("/srv/app/service.py", "f" * 90))
        assert "service.py:2" in text_of(detail)
        detail.tell(told("", "thread 7"))
        assert "thread 7" in text_of(detail)

    on_stage(detail, play, (80, 20))
