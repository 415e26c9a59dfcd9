"""Makes the pictures of the HTML report in docs/, from a real session, by running it.

    python benchmarks/report_picture.py [FOLDER]      default: docs/pictures

Needs Chromium, and perftui[report].
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SCENARIO = ("stream-vs-collect", "-p", "mode=collect")
SIZE = (1440, 900)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--virtual-time-budget=2000"),
)


def perftui(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "perftui", *words], check=True)


def take(page: Path, picture: Path, browser: str) -> None:
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                browser,
                *FLAGS,
                "--blink-settings=preferredColorScheme=0",
                f"--user-data-dir={profile}",
                "--window-size={},{}".format(*SIZE),
                f"--screenshot={picture.resolve()}",
                page.resolve().as_uri(),
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )


def main() -> int:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("chromium is not installed: no picture", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    with tempfile.TemporaryDirectory() as temporary:
        perftui("run", *SCENARIO, "--headless", "--record", temporary)
        recording = next(Path(temporary).glob("*.perftui"))
        page = Path(temporary, "report.html")
        perftui("export", str(recording), "--format", "html", "-o", str(page))
        picture = folder / "report.png"
        take(page, picture, browser)
    print(f"{picture} ({picture.stat().st_size // 1000} kB)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
