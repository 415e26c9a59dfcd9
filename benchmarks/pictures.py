"""Makes the README's pictures from real sessions, by running them.

    python benchmarks/pictures.py [FOLDER [NAME]]      default: docs/pictures, all of them

Each picture is Textual's own SVG of the screen while a scenario runs. With `rsvg-convert` on the
PATH a PNG is made beside it, to look at; only the SVG is kept in the project.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.session import Session
from perftui.probes.session_options import ProbeOptions, RecordOptions
from perftui.scenarios.race.plan import plan_race
from perftui.scenarios.race.race import Race
from perftui.scenarios.run.runner import resolve
from perftui.tui.app import PerftuiApp
from perftui.tui.watch.race.app import RaceApp
from perftui.tui.watch.race.on_screen import Races

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Picture(NamedTuple):
    name: str
    scenario: str
    params: tuple[str, ...]
    size: tuple[int, int]
    after_s: float
    """At least."""
    keys: tuple[str, ...] = ()
    shows: str = ""
    """Must be seen, at the start of the keys; else it is not waited for."""


PICTURES = (
    Picture(
        "live-160x45",
        "stream-vs-collect",
        ("passes=6",),
        (160, 45),
        13.5,
        (),
        "streaming violation",
    ),
    Picture("live-80x24", "import-cost", ("package=lancedb",), (80, 24), 1.2, ("i",)),
    Picture("lancedb-threads", "lancedb-query", (), (160, 45), 9.0, ("h",)),
)
THEMES = ("perftui-dark", "perftui-light")
RACES = (("race-160x45", (160, 45), THEMES),)
"""Name, size, themes."""
OFTEN = ProbeOptions(metrics_rate_hz=50.0)


async def take(picture: Picture, folder: Path, theme: str) -> Path:
    scenario = resolve(picture.scenario)
    values = scenario.bind(picture.params)
    session = Session.launch(
        scenario.command(sys.executable, values),
        scenario.title(values),
        ProbeOptions(),
        behind_screen=True,
    )
    path = _path(folder, picture.name, theme)
    try:
        app = PerftuiApp(session)
        async with app.run_test(size=picture.size) as pilot:
            app.theme = theme
            await asyncio.sleep(picture.after_s)
            await _until(app, lambda text: picture.shows in text)
            for key in picture.keys:
                await pilot.press(key)
            await asyncio.sleep(0.6)
            await _until(app, lambda text: "reading…" not in text)
            svg = app.export_screenshot(title=f"perftui run {picture.scenario}")
            path.write_text(_plain_fonts(svg))
    finally:
        session.stop_target()
        session.close()
    return path


async def _until(app: PerftuiApp, holds: Callable[[str], bool]) -> None:
    """Wait for words on the screen, as long as a busy machine may need."""
    for _ in range(400):
        strips = app.screen._compositor.render_strips()
        if holds("\n".join("".join(segment.text for segment in strip) for strip in strips)):
            return
        await asyncio.sleep(0.2)


async def take_race(
    name: str, folder: Path, size: tuple[int, int], themes: Sequence[str]
) -> list[Path]:
    """The demo when it is over, in each theme."""

    def make(engine: str | None) -> Race:
        recorded = RecordOptions(directory=Path(tempfile.mkdtemp()))
        return Race(plan_race("streaming-vs-collect", engine), OFTEN, recorded)

    races = Races(make(None), make)
    paths = []
    try:
        app = RaceApp(races)
        async with app.run_test(size=size) as pilot:
            races.race.start()
            while not races.race.wait(0):
                await pilot.pause(0.2)
            for theme in themes:
                app.theme = theme
                await asyncio.sleep(0.8)
                path = _path(folder, name, theme)
                path.write_text(_plain_fonts(app.export_screenshot(title="perftui demo")))
                paths.append(path)
    finally:
        races.stop()
    return paths


def _path(folder: Path, name: str, theme: str) -> Path:
    return folder / f"{name}{'-light' if 'light' in theme else ''}.svg"


def _plain_fonts(svg: str) -> str:
    """Take out the web fonts: a picture must not ask the network for anything."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "DejaVu Sans Mono")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        for theme in THEMES:
            if only not in picture.name or ("light" in theme and picture is not PICTURES[0]):
                continue
            _look_at(asyncio.run(take(picture, folder, theme)))
    for name, size, themes in RACES:
        if only in name:
            for path in asyncio.run(take_race(name, folder, size, themes)):
                _look_at(path)


def _look_at(path: Path) -> None:
    """Say where a picture is, and make a PNG of it if that can be done."""
    print(path)
    convert = shutil.which("rsvg-convert")
    if convert:
        png = Path(tempfile.gettempdir()) / f"{path.stem}.png"
        subprocess.run([convert, str(path), "-o", str(png)], check=True)
        print(png)


if __name__ == "__main__":
    main()
