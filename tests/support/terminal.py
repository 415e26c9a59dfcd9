"""A real terminal for tests: tmux, on a server of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TMUX = shutil.which("tmux")


class Terminal:
    """One tmux session of its own server; `environment` is what its shell has besides ours."""

    def __init__(
        self, folder: Path, columns: int = 160, rows: int = 45, **environment: str
    ) -> None:
        self._socket = str(folder / "tmux.sock")
        self._env = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self._env.update(environment)
        self._env.pop("TMUX", None)
        self("new-session", "-d", "-x", str(columns), "-y", str(rows), "-s", "t", "sh")

    def __call__(self, *words: str) -> str:
        command = [str(TMUX), "-f", "/dev/null", "-S", self._socket, *words]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self._env, timeout=PATIENCE_S
        )
        return done.stdout

    def run(self, *words: str) -> None:
        line = " ".join([sys.executable, "-m", "perftui", *words])
        self("send-keys", "-t", "t", f"{line}; echo returned $?", "Enter")

    def press(self, *keys: str) -> None:
        self("send-keys", "-t", "t", *keys)

    def screen(self) -> str:
        return self("capture-pane", "-p", "-t", "t")

    def everything(self) -> str:
        """What is on the screen, and what has left it at the top."""
        return self("capture-pane", "-p", "-S", "-", "-t", "t")

    def wait_for(self, text: str | Callable[[str], bool], limit_s: float = PATIENCE_S) -> str:
        end = time.monotonic() + limit_s
        while True:
            screen = self.screen()
            if text(screen) if callable(text) else text in screen:
                return screen
            assert time.monotonic() < end, f"{text!r} never came:\n{screen}"
            time.sleep(0.1)

    def close(self) -> None:
        self("kill-server")
