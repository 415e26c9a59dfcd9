"""Makes the README's pictures from real sessions, by running them.

    python benchmarks/pictures.py [FOLDER]      default: docs/pictures

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
from typing import NamedTuple

from perftui.probes.session import ProbeOptions, Session
from perftui.scenarios.runner import resolve
from perftui.tui.app import PerftuiApp


class Picture(NamedTuple):
    name: str
    scenario: str
    params: tuple[str, ...]
    size: tuple[int, int]
    after_s: float
    keys: tuple[str, ...] = ()


PICTURES = (
    Picture("live-160x45", "stream-vs-collect", ("mode=collect",), (160, 45), 9.0),
    Picture("live-80x24", "import-cost", ("package=lancedb",), (80, 24), 1.2, ("i",)),
    Picture("lancedb-threads", "lancedb-query", (), (160, 45), 9.0, ("h",)),
)


async def take(picture: Picture, folder: Path, theme: str) -> Path:
    scenario = resolve(picture.scenario)
    values = scenario.bind(picture.params)
    session = Session.launch(
        scenario.command(sys.executable, values),
        scenario.title(values),
        ProbeOptions(),
        behind_screen=True,
    )
    path = folder / f"{picture.name}{'-light' if 'light' in theme else ''}.svg"
    try:
        app = PerftuiApp(session)
        async with app.run_test(size=picture.size) as pilot:
            app.theme = theme
            await asyncio.sleep(picture.after_s)
            for key in picture.keys:
                await pilot.press(key)
            await asyncio.sleep(0.6)
            svg = app.export_screenshot(title=f"perftui run {picture.scenario}")
            path.write_text(_plain_fonts(svg))
    finally:
        session.stop_target()
        session.close()
    return path


def _plain_fonts(svg: str) -> str:
    """Take out the web fonts: a picture must not ask the network for anything."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "DejaVu Sans Mono")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    convert = shutil.which("rsvg-convert")
    for picture in PICTURES:
        for theme in ("perftui-dark", "perftui-light"):
            if "light" in theme and picture is not PICTURES[0]:
                continue
            path = asyncio.run(take(picture, folder, theme))
            print(path)
            if convert:
                png = Path(tempfile.gettempdir()) / f"{path.stem}.png"
                subprocess.run([convert, str(path), "-o", str(png)], check=True)
                print(png)


if __name__ == "__main__":
    main()
