"""What lines of a log are taken for, and how they wrap."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.screens.pane_stage import on_stage, text_of
from support.screens.pane_views import T0, S, make_view

from perftui.probes.spine.records import LogLine
from perftui.tui.text.fit import width_of, wrapped
from perftui.tui.text.log_level import tone_of
from perftui.tui.widgets.panes.log import LogPane

if TYPE_CHECKING:
    from support.screens.pane_stage import Stage
    from textual.pilot import Pilot


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("INFO:root:0 errors so far", "calm"),
        ("2026-11-28 11:00:00,123 - app.db - INFO - connected, error count 0", "calm"),
        ("[2026-11-28 11:00:00 +0000] [7] [INFO] Booting worker with pid: 7", "calm"),
        ("INFO:     127.0.0.1:5000 - \"GET /error HTTP/1.1\" 200 OK", "calm"),
        ("info: ready", "calm"),
        ("[I 11:00:00 app] 200 GET /", "calm"),
        ("I1128 11:00:00.000 7 main.cc:3] up", "calm"),
        ("DEBUG app: x", "calm"),
        ("WARNING:root:slow", "warn"),
        ("app.py:3: UserWarning: slow", "warn"),
        ("ERROR:root:failed", "bad"),
        ("2026-11-28 CRITICAL out of memory", "bad"),
        ("Traceback (most recent call last):", "bad"),
        ("ValueError: no", "bad"),
        ("loading 700 MB", None),
        ("more information follows", None),
        ("I am here", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_line_is_taken_for_what_it_says_it_is(text: str, tone: str | None) -> None:
    assert tone_of(text) == tone


@pytest.mark.parametrize("width", [8, 13, 40])
@pytest.mark.parametrize(
    "text",
    ["", "short", "x" * 99, "one two three four five six seven", "漢字" * 20 + " end", "  a  b"],
)
def test_nothing_is_lost_by_wrapping(text: str, width: int) -> None:
    rows = wrapped(text, width)
    assert all(width_of(row) <= width for row in rows)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")


def test_long_lines_wrap_and_info_on_stderr_is_not_flagged() -> None:
    lines = (
        *(LogLine(T0 + n * S, "stdout", f"line {n}") for n in range(30)),
        LogLine(T0 + 31 * S, "stderr", "INFO: " + "word " * 40 + "end"),
        LogLine(T0 + 32 * S, "stderr", "it broke"),
    )

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane = stage.pane
        assert isinstance(pane, LogPane)
        pane.show(replace(make_view(), log_lines=lines))
        pane.focus()
        await pilot.pause()
        shown = text_of(pane).split("\n")
        assert "2 on stderr, 1 of them marked !" in shown[0]
        assert shown[-1].split(maxsplit=1)[1] == "! it broke"
        assert shown[-2].strip().endswith("end"), "all of the long line is there"
        first = next(line for line in shown if "INFO" in line)
        assert "│ INFO" in first
        assert "29" in shown[shown.index(first) - 1]
        await pilot.press("ctrl+home")
        assert "line 0" in text_of(pane).split("\n")[1]
        await pilot.press("G")
        assert text_of(pane).split("\n")[-1].endswith("it broke")

    on_stage(LogPane(), play, size=(60, 12))


def test_a_line_longer_than_the_page_leaves_the_next_in_reach() -> None:
    lines = tuple(LogLine(T0 + n * S, "stdout", f"{n} " + "y" * 3000) for n in range(3))

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane = stage.pane
        assert isinstance(pane, LogPane)
        pane.show(replace(make_view(), log_lines=lines))
        pane.focus()
        await pilot.pause()
        assert "│ 2 yyy" in text_of(pane)
        await pilot.press("up")
        assert "│ 1 yyy" in text_of(pane)
        await pilot.press("up", "up", "up")
        assert "│ 0 yyy" in text_of(pane)

    on_stage(LogPane(), play, size=(60, 10))
