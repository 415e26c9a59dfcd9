"""How much of the flame is seen: levels of a deep stack on the live screen, by size of terminal.

Each program is recorded once and replayed on a screen of every size. One is 60 calls deep, and
works; its memory is flat after a second. The other's memory rises all the time. Counted are the
rows that show a level of the flame, at first and after the keys that are given.

    python benchmarks/flame_room.py [--keys F] [--seconds 6]
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SIZES = ((80, 24), (120, 35), (160, 45), (200, 50), (60, 15))
DEEP = """
import sys, time
kept = []
def work():
    until = time.monotonic() + 0.05
    while time.monotonic() < until: sum(range(200))
    GROW
def level_60(): work()
"""
LEVELS = "".join(f"def level_{n:02d}(): level_{n + 1:02d}()\n" for n in range(59, 0, -1))
END = """
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end: level_01()
"""
PROGRAMS = {"flat": "pass", "rising": "kept.append(b'x' * 1_000_000)"}


def record(folder: Path, name: str, seconds: float) -> Path:
    """Record one program."""
    script = folder / f"{name}.py"
    script.write_text(DEEP.replace("GROW", PROGRAMS[name]) + LEVELS + END)
    shelf = folder / f"recorded-{name}"
    subprocess.run(
        [sys.executable, "-m", "perftui", "run", "--headless", "--record", str(shelf),
         str(script), str(seconds)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return next(shelf.glob("*.perftui"))


async def levels(path: Path, size: tuple[int, int], keys: list[str]) -> int:
    """Return the rows of a screen that show a level."""
    from perftui.probes.recording.read.container import open_container
    from perftui.tui.app import PerftuiApp
    from perftui.tui.session.recorded import open_session

    session = open_session(open_container(path))
    app = PerftuiApp(session)
    async with app.run_test(size=size) as pilot:
        for _ in range(400):
            await pilot.pause(0.05)
            if "level_0" in text_of(app):
                break
        await pilot.press(*keys)
        for _ in range(10):  # charts settle with the second picture
            await pilot.pause(0.1)
        rows = len(re.findall(r"level_\d\d", text_of(app)))
    session.close()
    return rows


def text_of(app: object) -> str:
    """Return what is on a screen, without what is drawn over charts."""
    compositor = app.screen._compositor  # type: ignore[attr-defined]
    lines = ["".join(s.text for s in strip) for strip in compositor.render_strips()]
    return "\n".join(line for line in lines if "│" not in line or "level_" in line)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=6)
    asked = parser.parse_args()
    print(f"{'':10}" + "".join(f"{w}x{h:<8}" for w, h in SIZES))
    with tempfile.TemporaryDirectory() as folder:
        for name in PROGRAMS:
            path = record(Path(folder), name, asked.seconds)
            found = [asyncio.run(levels(path, size, asked.keys)) for size in SIZES]
            print(f"{name:10}" + "".join(f"{n:<11}" for n in found), flush=True)


if __name__ == "__main__":
    main()
