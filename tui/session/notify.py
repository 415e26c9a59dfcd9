"""Tells a person who looks elsewhere that an alert was raised: a bell, or a desktop notification.

Only on request, and never for what is only a mark. A desktop notification goes through
`notify-send` where there is a desktop to show it, else to the terminal (OSC 777 or 9, which it
shows or ignores); inside tmux it is wrapped to pass through.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perftui.probes.spine.records import Alert

How = Literal["off", "bell", "desktop"]
HOWS: tuple[How, ...] = ("off", "bell", "desktop")
BELL = "\a"
_RANK = {"info": 0, "warn": 1, "critical": 2}
_MOST = 200
_WAIT_S = 5.0
_SPEAKS_777 = ("rxvt", "foot")


class Notifier:
    """Remembers what has been told.

    Args:
        how: Where to; it may be changed at any time.
    """

    def __init__(self, how: How) -> None:
        self.how = how
        self._sequences: list[str] = []
        self._told: dict[tuple[str, int], int] = {}

    def take(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Tell of alerts that are new or have become critical; returns them.

        What came while it was off is not told later.
        """
        fresh = []
        for alert in alerts:
            key, rank = (alert.kind, alert.t_onset_ns), _RANK[alert.severity]
            if rank > self._told.get(key, 0):
                self._told[key] = rank
                fresh.append(alert)
        if not fresh or self.how == "off":
            return []
        if self.how == "bell":
            self._sequences.append(BELL)
        else:
            worst = max(fresh, key=lambda alert: _RANK[alert.severity])
            more = f" (and {len(fresh) - 1} more)" if len(fresh) > 1 else ""
            title = f"perftui: {worst.kind.replace('_', ' ')}"
            self._desktop(title, worst.message[:_MOST] + more)
        return fresh

    def sequences(self) -> list[str]:
        """Return what is to be written to the terminal, once: whoever owns it does that."""
        sequences, self._sequences = self._sequences, []
        return sequences

    def _desktop(self, title: str, body: str) -> None:
        tool = shutil.which("notify-send") if has_desktop(os.environ) else None
        if tool is not None:
            try:
                done = subprocess.run(
                    [tool, "--app-name=perftui", "--", title, body],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=_WAIT_S,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired):
                done = None
            if done is not None and done.returncode == 0:
                return
        self._sequences.append(sequence_of(title, body, os.environ))


def has_desktop(environment: Mapping[str, str]) -> bool:
    """Tell whether somebody could see a notification of the desktop of this machine."""
    if environment.get("SSH_CONNECTION"):
        return False
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def sequence_of(title: str, body: str, environment: Mapping[str, str]) -> str:
    """Return what makes a terminal show a notification; others ignore it."""
    from perftui.tui.text.fit import clean

    title, body = (clean(text).replace(";", ",") for text in (title, body))
    if environment.get("TERM", "").startswith(_SPEAKS_777) or environment.get("VTE_VERSION"):
        sequence = f"\x1b]777;notify;{title};{body}{BELL}"
    else:
        sequence = f"\x1b]9;{title}: {body}{BELL}"
    if environment.get("TMUX"):
        inner = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{inner}\x1b\\"
    return sequence
