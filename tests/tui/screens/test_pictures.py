"""How the key screens look: from made-up records, on a clock that stands still."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

pytest.importorskip("pyarrow")

from support.recordings.made import make
from support.screens.fake_race import FakeRuns
from support.screens.pictures import check_picture
from support.screens.plot import Plot
from support.screens.screen_stage import ScreenStage
from support.screens.synthetic_session import SyntheticSession

from perftui.probes.compare.comparison import ComparedRun
from perftui.probes.compare.place import place_of
from perftui.probes.process.running import PythonProcess
from perftui.probes.recording.read.reader import open_recording
from perftui.tui.app import CompareApp, PerftuiApp, _HomeApp
from perftui.tui.watch.race.app import RaceApp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import App

    Holds = Callable[[ScreenStage[Any]], bool]

FULL = Plot(
    pools=True,
    alert=True,
    planned=False,
    has_child=False,
    log_texts=tuple(f"batch {second}: 412,000 rows" for second in range(1, 19)),
)
"""A session that has what the pictures are of."""
WIDE, SMALL = (160, 45), (80, 24)


@pytest.fixture(autouse=True)
def same_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a picture would tell of this machine is the same on every one."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for screen in ("live", "race"):
        monkeypatch.setattr(f"perftui.tui.screens.{screen}.screen.usable_cores", lambda _=0: 8)


def show(
    name: str,
    app: App[Any],
    size: tuple[int, int],
    folder: Path,
    keys: tuple[str, ...],
    ready: Holds,
) -> None:
    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            stage: ScreenStage[Any] = ScreenStage(app, pilot)
            await stage.until(lambda: ready(stage))
            await stage.press(*keys)
            before = ""
            while before != stage.text:  # nothing more comes: the clock stands still
                before = stage.text
                await pilot.pause(0.6)
            check_picture(name, app, folder)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "size", "keys"),
    [
        ("live-flame", WIDE, ()),
        ("live-memory", WIDE, ("M",)),
        ("live-alerts", WIDE, ("a",)),
        ("live-imports", WIDE, ("i",)),
        ("live-small", SMALL, ()),
    ],
)
def test_live(name: str, size: tuple[int, int], keys: tuple[str, ...], tmp_path: Path) -> None:
    app = PerftuiApp(cast("Any", SyntheticSession(FULL)), ascii_only=False)
    show(name, app, size, tmp_path, keys, lambda stage: "LIVE 00:18.4" in stage.text)


def test_race(tmp_path: Path) -> None:
    app = RaceApp(cast("Any", FakeRuns()), ascii_only=False)
    show("race", app, WIDE, tmp_path, (), lambda stage: "q quit" in stage.text)


def test_compare(tmp_path: Path) -> None:
    sides = []
    for name, seed in (("base", 32), ("new", 33)):
        reader = open_recording(make(tmp_path / f"{name}.perftui", seed))
        sides.append([ComparedRun(reader, name, place_of(reader))])
    app = CompareApp(sides[0], sides[1], ascii_only=False)

    def tested(stage: ScreenStage[Any]) -> bool:
        view = stage.app.screen.view
        return view is not None and not view.comparison.functions.can_be_tested

    show("compare", app, WIDE, tmp_path, (), tested)


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from perftui.scenarios.run.runner import catalogue

    known = [s for s in catalogue() if s.reference in ("duckdb-query", "stream-vs-collect", "leak")]
    running = [
        PythonProcess(4711, "3.12.1", "dev", 340.0, 41.0, 91_000_000, 12.0, ("python", "serve.py"))
    ]
    monkeypatch.setattr("perftui.scenarios.run.runner.catalogue", lambda: known)
    monkeypatch.setattr("perftui.scenarios.define.requirements.missing_modules", lambda _: ())
    monkeypatch.setattr("perftui.probes.process.running.python_processes", lambda: running)
    monkeypatch.setattr("perftui.probes.recording.shelf.shelf.entries", list)
    show("home", _HomeApp("", "scenarios"), WIDE, tmp_path, (), lambda s: "serve.py" in s.text)
