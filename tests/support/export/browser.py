"""A real browser for tests: headless Chromium by its WebDriver, spoken to over loopback.

The standard library is enough for that. What the page logs and what it asks the network for is
kept, so that a test can say that there was nothing of either.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--force-device-scale-factor=1"),
)


def why_none() -> str | None:
    """Say why there is no browser to test with, None if there is one."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return None


class Browser:
    """One window of a headless Chromium. Use it as a context manager."""

    def __init__(self, width: int = 1440, height: int = 900, *, dark: bool = True) -> None:
        self._size = (width, height)
        self._dark = dark
        self._session = ""

    def __enter__(self) -> Browser:
        self._folder = tempfile.TemporaryDirectory(prefix="perftui-browser-")
        driver = shutil.which("chromedriver")
        assert driver is not None
        log = Path(self._folder.name, "driver.log")
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            [driver, "--port=0"], stdout=self._log, stderr=subprocess.STDOUT
        )
        self._root = f"http://127.0.0.1:{self._port(log)}"
        dark = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")
        light = ("--blink-settings=preferredColorScheme=1",)
        flags = [
            *FLAGS,
            *(dark if self._dark else light),
            "--window-size={},{}".format(*self._size),
            f"--user-data-dir={self._folder.name}/profile",
        ]
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": shutil.which("chromium"), "args": flags},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{answer['sessionId']}"
        # The window has a frame: what is asked for is what the page gets.
        metrics = dict(zip(("width", "height"), self._size, strict=True))
        metrics |= {"deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", metrics)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._session:
                self._ask("DELETE", self._session)
        finally:
            self._process.terminate()
            self._process.wait(60)
            self._log.close()
            self._folder.cleanup()

    def _port(self, log: Path) -> int:
        for _ in range(1_200):
            for line in log.read_text(errors="replace").splitlines(keepends=True):
                if "started successfully on port" in line and line.endswith("\n"):
                    return int(line.rstrip(".\n").rpartition(" ")[2])
            time.sleep(0.05)
        raise AssertionError(f"chromedriver does not start: {log.read_text(errors='replace')}")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._root + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from None

    def open(self, page: Path) -> None:
        """Load a file."""
        self._ask("POST", f"{self._session}/url", {"url": page.resolve().as_uri()})

    def run(self, script: str, *args: object) -> Any:
        """Run a script in the page; what it returns comes back."""
        body = {"script": script, "args": list(args)}
        return self._ask("POST", f"{self._session}/execute/sync", body)

    def command(self, name: str, params: object) -> Any:
        """Give a command of the DevTools protocol."""
        body = {"cmd": name, "params": params}
        return self._ask("POST", f"{self._session}/goog/cdp/execute", body)

    def drag(self, selector: str, x0: float, x1: float) -> None:
        """Drag over an element from one share of its width to another."""
        box = self.run(
            "const b = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height];",
            selector,
        )
        y = round(box[1] + box[3] / 2)
        first, last = (round(box[0] + box[2] * share) for share in (x0, x1))
        steps: list[dict[str, object]] = [
            {"type": "pointerMove", "duration": 0, "x": first, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "duration": 50, "x": (first + last) // 2, "y": y},
            {"type": "pointerMove", "duration": 50, "x": last, "y": y},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "actions": steps}
        self._ask("POST", f"{self._session}/actions", {"actions": [mouse]})

    def press(self, *keys: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        steps = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        board = {"type": "key", "id": "keys", "actions": steps}
        self._ask("POST", f"{self._session}/actions", {"actions": [board]})

    def log(self) -> list[str]:
        """Return what was logged since the last call: errors, refusals of the policy."""
        entries = self._ask("POST", f"{self._session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last call."""
        entries = self._ask("POST", f"{self._session}/se/log", {"type": "performance"})
        messages = (json.loads(entry["message"])["message"] for entry in entries)
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def screenshot(self, file: Path) -> None:
        """Write the window as PNG."""
        file.write_bytes(base64.b64decode(self._ask("GET", f"{self._session}/screenshot")))
