"""How many keys it takes from the first picture to the function that is to blame.

Each program is recorded, and its recording opened on a screen, as the live one looks at the end:
with the verdict. Keys are pressed as a person would, the likeliest first, one and then two of
them; counted is the first way on which the name of the function can be read.

    python benchmarks/keys_needed.py SCRIPT.py:FUNCTION ... [--sizes 160x45 80x24]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE = ("enter", "escape", "t", "h", "w", "M", "k", "a", "i", "*", "u")
SIZES = ("160x45", "80x24")


def ways() -> Iterator[tuple[str, ...]]:
    """Return what to press, fewest keys first."""
    yield ()
    yield from ((key,) for key in ONE)
    yield from itertools.permutations(ONE, 2)


def record(script: Path, folder: Path) -> Path:
    """Record a program and return its recording."""
    shelf = folder / script.stem
    subprocess.run(
        [sys.executable, "-m", "perftui", "run", "--headless", "--record", str(shelf), str(script)],
        check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return next(shelf.glob("*.perftui"))


async def reads(path: Path, size: tuple[int, int], keys: tuple[str, ...], function: str) -> bool:
    """Tell whether a function can be read on the screen after some keys."""
    from perftui.probes.recording.read.container import open_container
    from perftui.tui.app import PerftuiApp
    from perftui.tui.session.recorded import open_session

    session = open_session(open_container(path))
    app = PerftuiApp(session, tells_verdict=True)
    found = False
    async with app.run_test(size=size) as pilot:

        async def settle() -> str:
            before, same = "", 0
            while same < 3:
                await pilot.pause(0.15)
                now = _text(app)
                same, before = (same + 1 if now == before and "reading…" not in now else 0), now
            return before

        text = await settle()
        for _ in range(60):  # the verdict comes by itself, after the first picture
            if app.screen.verdict.card is not None or "nothing stands out" in text:  # type: ignore[attr-defined]
                break
            text = await settle()
        text = await settle()
        for key in keys:
            await pilot.press(key)
            text = await settle()
        found = function in text
    session.close()
    return found


def _text(app: object) -> str:
    compositor = app.screen._compositor  # type: ignore[attr-defined]
    lines = ["".join(segment.text for segment in strip) for strip in compositor.render_strips()]
    return "\n".join(lines[1:])  # not the header: it names the program


def main() -> None:
    """Print a line for each program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="+", metavar="SCRIPT.py:FUNCTION")
    parser.add_argument("--sizes", nargs="*", default=SIZES)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for program in asked.programs:
            script, _, function = program.rpartition(":")
            path = record(Path(script), Path(folder))
            for text in asked.sizes:
                width, height = map(int, text.split("x"))
                found = next(
                    (
                        keys
                        for keys in ways()
                        if asyncio.run(reads(path, (width, height), keys, function))
                    ),
                    None,
                )
                said = "more than two" if found is None else f"{len(found)}  {' '.join(found)}"
                print(f"{Path(script).name:24} {function:16} {text:8} {said}", flush=True)


if __name__ == "__main__":
    main()
