"""The compare screen under a pilot: sizes, tabs, phases, filter, and `d` on a replay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyarrow")

from support.recordings.made_runs import MB, make, run_of
from support.screens.screen_stage import ScreenStage

from perftui.probes.recording.read.container import open_container
from perftui.tui.app import CompareApp, PerftuiApp
from perftui.tui.picture.compare_view import CompareChoice
from perftui.tui.screens.compare.screen import CompareScreen
from perftui.tui.screens.dialogs.choose_baseline import ChooseBaseline, baselines
from perftui.tui.screens.dialogs.help import HelpScreen
from perftui.tui.session.recorded import open_session
from perftui.tui.terminal.app import TerminalApp
from perftui.tui.widgets.charts.twin_chart import twin_picture

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Steps = Callable[["Stage"], Awaitable[None]]


class Stage(ScreenStage[TerminalApp[int]]):
    """A running app with what the tests ask of it."""

    @property
    def screen(self) -> CompareScreen:
        found = [s for s in self.app.screen_stack if isinstance(s, CompareScreen)]
        return found[-1]

    async def settled(self) -> None:
        screen = self.screen
        await self.until(lambda: screen.view is not None and screen.view.choice == screen.choice)
        await self.pilot.pause(0.05)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf")
    make(folder / "before.perftui")
    shares = {"parse": 20 / 30, "merge": 6 / 30, "encode": 4 / 30}
    imports = [("json", None, 0.02), ("pandas", None, 0.4)]
    phases = [("load", 8), ("work", 12), ("work", 10)]
    make(
        folder / "after.perftui",
        seconds=30,
        shares=shares,
        imports=imports,
        phases=phases,
        peak=200 * MB,
    )
    return folder


def show(
    shelf: Path, steps: Steps, size: tuple[int, int] = (160, 45), *, ascii_only: bool = False
) -> None:
    async def run() -> None:
        sides = [[run_of(shelf / f"{name}.perftui")] for name in ("before", "after")]
        app = CompareApp(*sides, ascii_only=ascii_only)
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot)
            await stage.settled()
            await steps(stage)

    asyncio.run(run())


def test_wide_screen_shows_both_runs_and_the_summary(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        lines = stage.lines()
        assert len(lines) == 45
        assert all(len(line) == 160 for line in lines)
        assert "perftui compare   base before 20.0 s  →  new after 30.0 s" in lines[0]
        assert "no verdict" in lines[0]
        assert lines[1].startswith(" one run each: cannot separate noise from change;")
        text = stage.text
        for words in ("─ RSS ─ 100 MB → 200 MB +100 %", "─ CPU ─ ", "base ▏load", "new ▏load"):
            assert words in text
        for words in ("parse (job.py) gained 10.0 s", "new imports: pandas", "peak RSS"):
            assert words in text
        assert "▔" in text or "━" in text, "the new run is a line"
        assert "q quit" in lines[-1]

    show(shelf, steps)


def test_every_tab_tells_its_side(shelf: Path) -> None:
    told = {
        "f": (
            "+17 % parse",
            "new 13 % encode",
            "gone 20 % write",
            "all threads  time 20.0 s → 30.0 s",
        ),
        "t": ("+16.7", "50.0 → 66.7 %", "3 of 5 changed"),
        "P": ("work#2", "5.00 s", "10.0 s", "+100 %"),
        "i": ("pandas", "+400 ms", "1 of 2 modules changed"),
        "c": ("query", "rows per second"),
    }

    async def steps(stage: Stage) -> None:
        for key, words in told.items():
            await stage.press(key)
            for word in words:
                await stage.until(lambda word=word: word in stage.text)  # type: ignore[misc]

    show(shelf, steps)


def test_80x24_has_one_chart_and_the_tabs(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        lines = stage.lines()
        assert all(len(line) == 80 for line in lines)
        assert "─ RSS ─" in stage.text
        assert "─ CPU ─" not in stage.text
        assert "duration +50.0 %, CPU +50.0 %, peak RSS +100 %" in " ".join(stage.text.split())
        for key in "ftPic":
            await stage.press(key)
            assert all(len(line) == 80 for line in stage.lines())

    show(shelf, steps, (80, 24))


def test_too_small_says_so_and_comes_back(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.pilot.resize_terminal(40, 10)
        await stage.until(lambda: "needs 60×15" in stage.text)
        await stage.pilot.resize_terminal(100, 30)
        await stage.until(lambda: "─ CPU ─" in stage.text)
        await stage.until(lambda: all(len(line) == 100 for line in stage.lines()))

    show(shelf, steps)


def test_a_phase_restricts_all_and_aligns_both(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("P", "down", "down", "down", "enter")
        await stage.settled()
        assert str(stage.screen.choice.phase) == "work#2"
        assert "work#2  ◀ only this" in stage.text
        assert " load " in stage.text, "the others can still be chosen"
        assert "base before 5.00 s  →  new after 10.0 s" in stage.lines()[0]
        assert "only work#2" in stage.text
        view = stage.screen.view
        assert view is not None
        assert view.axis_s == (0, 10)
        assert (view.base.zero_ns - view.base.span[0]) == 15_000_000_000
        await stage.press("a")
        await stage.settled()
        view = stage.screen.view
        assert view is not None
        assert view.axis_s == (-20, 10), "both whole, 0 is where the phase begins"
        assert view.chosen_s == (0, 10)
        await stage.press("a")
        await stage.settled()
        assert "aligned at the start" in stage.text
        await stage.press("escape")
        await stage.settled()
        assert stage.screen.choice.phase is None
        await stage.press("right_curly_bracket")
        await stage.settled()
        assert str(stage.screen.choice.phase) == "load"

    show(shelf, steps)


def test_filter_weight_and_thread(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("t", "slash", *"pars")
        await stage.until(
            lambda: "parse  job.py" in stage.text and "merge  job.py" not in stage.text
        )
        await stage.press("enter", "escape")
        await stage.until(lambda: "merge  job.py" in stage.text)
        await stage.press("w", "w")
        await stage.until(lambda: "memory that grew in them" in stage.text)
        await stage.press("greater_than_sign")
        await stage.settled()
        assert stage.screen.choice.thread == "MainThread"
        await stage.press("r")
        assert stage.screen.choice == CompareChoice()
        await stage.press("f", "down", "down", "down")
        await stage.until(lambda: "share of time" in stage.text and "points" in stage.text)

    show(shelf, steps)


def test_functions_sort_and_open_the_flame(shelf: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("t", "4")
        await stage.until(lambda: "function  place▼" in stage.text)
        await stage.press("4", "down", "enter")
        await stage.until(lambda: stage.screen.tab == "Flame")
        assert stage.screen.choice.filter == "parse"

    show(shelf, steps)


def test_long_runs_are_tested_once_they_are_shown(tmp_path: Path) -> None:
    long = {"seconds": 85, "phases": (), "jitter": 0.03}
    make(tmp_path / "before.perftui", **long)  # type: ignore[arg-type]
    shares = {"parse": 0.7, "merge": 0.2, "write": 0.1}
    make(tmp_path / "after.perftui", shares=shares, seed=2, **long)  # type: ignore[arg-type]

    async def steps(stage: Stage) -> None:
        await stage.press("t")
        await stage.until(lambda: "tested against the noise within each run" in stage.text)
        view = stage.screen.view
        assert view is not None
        sure = {row.function for row in view.comparison.functions.rows if row.sure}
        assert sure == {"parse", "merge", "write"}

    show(tmp_path, steps)


def test_help_copy_and_quit(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    async def steps(stage: Stage) -> None:
        await stage.press("question_mark")
        assert isinstance(stage.app.screen, HelpScreen)
        assert "only the next phase" in stage.text
        await stage.press("escape", "y")
        await stage.until(lambda: "copied" in stage.lines()[1])
        assert "parse (job.py) gained" in (tmp_path / "perftui" / "copied.txt").read_text()
        await stage.press("q")
        assert stage.app._exit

    show(shelf, steps)


def test_without_unicode_and_colour(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(stage: Stage) -> None:
        for key in "oft":
            await stage.press(key)
            await stage.pilot.pause(0.1)
            for strip in stage.app.screen._compositor.render_strips():
                for line_filter in stage.app.get_line_filters():
                    strip = strip.apply_filter(line_filter, stage.app.screen.background_colors[0])
                text = "".join(segment.text for segment in strip)
                assert text.isascii(), text
                assert "?" not in text.replace("? help", "")

    show(shelf, steps, ascii_only=True)


def test_area_and_line_are_different_shapes() -> None:
    picture = twin_picture([4, 4, 4, None], [2, 2, 8, 8], 8, 4)
    text = ["".join(cell.char for cell in row) for row in picture]
    assert text[0] == "  ▔▔"
    assert text[1][2] == "│", "a jump is drawn"
    assert text[3][:2] != "██" or text[2][:2] != "██"
    assert picture[3][0].char == "▔" or picture[2][0].char in "▔━▁"


# -- d -----------------------------------------------------------------------------------------


def replay(shelf: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(shelf))
    session = open_session(open_container(shelf / "after.perftui"))

    async def run() -> None:
        app = PerftuiApp(session)
        async with app.run_test(size=(160, 45)) as pilot:
            await steps(Stage(app, pilot))

    asyncio.run(run())
    session.close()


def test_d_chooses_a_baseline_and_esc_comes_back(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "REPLAY" in stage.text)
        await stage.press("d")
        assert isinstance(stage.app.screen, ChooseBaseline)
        await stage.until(lambda: "before" in stage.text)
        assert "after  " not in "\n".join(stage.lines()[12:33]), "not with itself"
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, CompareScreen))
        await stage.settled()
        assert "base before 20.0 s  →  new after 30.0 s" in stage.lines()[0]
        await stage.press("escape")
        await stage.until(lambda: "REPLAY" in stage.text)
        await stage.press("d", "escape")
        assert not isinstance(stage.app.screen, ChooseBaseline | CompareScreen)

    replay(shelf, steps, monkeypatch)


def test_d_with_an_empty_shelf_says_so(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(stage: Stage) -> None:
        await stage.until(lambda: "REPLAY" in stage.text)
        monkeypatch.setenv("PERFTUI_RECORDINGS", str(tmp_path))
        await stage.press("d")
        await stage.until(lambda: "there is no other recording to compare with" in stage.text)

    replay(shelf, steps, monkeypatch)


def test_baselines_are_whole_and_the_same_program_comes_first(shelf: Path) -> None:
    from perftui.probes.recording.shelf.shelf import entries

    found = entries(shelf)
    assert [e.name for e in baselines(found, "job.py", None)] == ["after", "before"]
    renamed = [e._replace(title="other") if e.name == "after" else e for e in found]
    assert [e.name for e in baselines(renamed, "job.py", None)] == ["before", "after"]
    assert [e.name for e in baselines(found, "job.py", found[0].path)] == ["before"]
    gone = [e._replace(state="damaged") for e in found]
    assert baselines(gone, "job.py", None) == []
