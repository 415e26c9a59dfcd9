"""How the key screens look: from made-up records, on a clock that stands still."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

pytest.importorskip("pyarrow")

from support.recordings.made import make
from support.screens.fake_lab import fake_bench, fake_matrix
from support.screens.fake_race import FakeRuns
from support.screens.live_stage import Stage, play
from support.screens.pictures import check_picture
from support.screens.plot import Plot
from support.screens.screen_stage import ScreenStage
from support.screens.synthetic_session import SyntheticSession

from perftui.probes.compare.comparison import ComparedRun
from perftui.probes.compare.place import place_of
from perftui.probes.process.running import PythonProcess
from perftui.probes.recording.read.reader import open_recording
from perftui.tui.app import CompareApp, _HomeApp
from perftui.tui.screens.live.panes import PANES, PaneKind
from perftui.tui.watch.lab.app import LabApp
from perftui.tui.watch.race.app import RaceApp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.app import App

    from perftui.tui.watch.lab.showing import Showing

    Holds = Callable[[ScreenStage[Any]], bool]

FULL = Plot(
    pools=True,
    alert=True,
    planned=True,
    has_child=True,
    log_texts=(
        *(f"batch {second}: 412,000 rows" for second in range(1, 17)),
        "WARNING: the next batch is larger than those before it, and will be cut: 412,000 rows of "
        "it are kept in memory until all others have been written to the table",
        "INFO: 2 errors so far",
    ),
)
"""A session that has what the pictures are of."""
WIDE, SMALL = (160, 45), (80, 24)


@pytest.fixture(autouse=True)
def same_machine() -> Iterator[None]:
    """What a picture would tell of this machine is the same on every one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        for screen in ("live", "race"):
            patch.setattr(f"perftui.tui.screens.{screen}.screen.usable_cores", lambda _=0: 8)
        yield
    time.tzset()  # what comes after has the machine's zone again


def show(
    name: str,
    app: App[Any],
    size: tuple[int, int],
    folder: Path,
    keys: tuple[str, ...],
    ready: Holds,
    *,
    small: bool = False,
) -> None:
    """Hold a screen against its picture; with `small` in both themes, and in a small terminal."""
    different: list[str] = []

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            stage: ScreenStage[Any] = ScreenStage(app, pilot)

            async def check(theme: str, ending: str) -> None:
                app.theme = f"perftui-{theme}"
                seen: list[object] = []  # nothing more comes: the clock stands still
                while len(seen) < 4 or any(one != seen[-1] for one in seen[-4:]):
                    await pilot.pause(0.15)
                    seen.append(app.screen._compositor.render_strips())
                try:
                    check_picture(f"{name}{ending}", app, folder)
                except AssertionError as error:
                    different.append(str(error))

            await stage.until(lambda: ready(stage))
            await stage.press(*keys)
            await check("dark", "")
            if small:
                await check("light", "-light")
                await pilot.resize_terminal(*SMALL)
                await check("light", "-80x24-light")
                await check("dark", "-80x24")

    asyncio.run(run())
    assert not different, "\n\n".join(different)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [WIDE, SMALL])
def test_every_tab(size: tuple[int, int], theme: str, tmp_path: Path) -> None:
    """One run for all tabs: what a person sees on the way is what is held against the pictures."""
    different: list[str] = []

    async def steps(stage: Stage) -> None:
        stage.app.theme = f"perftui-{theme}"
        await stage.until(lambda: "LIVE 00:18.4" in stage.text)
        for kind in PANES:
            await stage.press(kind.key)
            await still(stage, kind)
            name = f"{kind.name.lower()}-{size[0]}x{size[1]}-{theme}"
            try:
                check_picture(name, stage.app, tmp_path)
            except AssertionError as error:
                different.append(str(error))

    play(steps, SyntheticSession(FULL), size)
    assert not different, "\n\n".join(different)


async def still(stage: Stage, kind: PaneKind) -> None:
    """Wait until a tab shows all that it has: the clock stands still, so nothing more comes."""
    live = stage.live

    def there() -> bool:
        view = live.view
        return (
            view is not None
            and live.tab == kind.name
            and live.deck.panes.attached is not None
            and kind.needs <= view.has
        )

    await stage.until(there)
    await stage.pictures(2)
    seen: list[object] = []
    while len(seen) < 3 or not seen[-1] == seen[-2] == seen[-3]:
        await stage.pilot.pause(0.02)
        seen.append(stage.app.screen._compositor.render_strips())


def test_race(tmp_path: Path) -> None:
    app = RaceApp(cast("Any", FakeRuns()), ascii_only=False)
    show("race", app, WIDE, tmp_path, (), lambda stage: "q quit" in stage.text, small=True)


@pytest.mark.parametrize(("name", "live"), [("bench", fake_bench), ("matrix", fake_matrix)])
def test_lab(name: str, live: Callable[[], Showing], tmp_path: Path) -> None:
    """Both are the same screen: one of them in all sizes and themes is enough."""
    showing = live()
    showing.elapsed_s = lambda: 83.4  # type: ignore[method-assign]
    app = LabApp(showing, ascii_only=False)
    show(name, app, WIDE, tmp_path, ("up",), lambda s: "q " in s.lines()[-1], small=name == "bench")


def test_compare(tmp_path: Path) -> None:
    sides = []
    for name, seed in (("base", 32), ("new", 33)):
        reader = open_recording(make(tmp_path / f"{name}.perftui", seed))
        sides.append([ComparedRun(reader, name, place_of(reader))])
    app = CompareApp(sides[0], sides[1], ascii_only=False)

    def tested(stage: ScreenStage[Any]) -> bool:
        view = stage.app.screen.view
        return view is not None and not view.comparison.functions.can_be_tested

    show("compare", app, WIDE, tmp_path, (), tested, small=True)


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
