"""What a launched target leaves behind when it ends: helpers that live on are named, once."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from perftui.probes.spine.probe_thread import say_failed
from perftui.probes.spine.records import Notice
from perftui.probes.text.shell_words import shell_word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.spine.log import SessionLog

TO_FOLLOW_S = 0.4
"""Helpers that see the target's end have this long to end, too, before they are said to live on."""
MOST_NAMED = 5
LETTERS_OF_COMMAND = 100


class LeftBehind:
    """Says it at the target's end, or when we leave: whatever comes first.

    Args:
        log: Where it is said.
        others: Returns (pid, command line) of those of the target's family that live.
    """

    def __init__(
        self, log: SessionLog, others: Callable[[], Sequence[tuple[int, tuple[str, ...]]]]
    ) -> None:
        self._log = log
        self._others = others
        self._lock = Lock()
        self._told = False

    def tell(self) -> None:
        """Name who lives on, if nobody was named before."""
        with self._lock:
            if self._told:
                return
            self._told = True
            try:
                self._name()
            except Exception as error:
                say_failed(self._log, "who lives on", error)

    def tell_no_more(self) -> None:
        """Nobody looks any more; returns when nobody is being named."""
        with self._lock:
            self._told = True

    def _name(self) -> None:
        others: Sequence[tuple[int, tuple[str, ...]]] = []
        until, empty = time.monotonic() + TO_FOLLOW_S, 0
        # Twice nobody: who was just between two forks is there the second time.
        while empty < 2 and time.monotonic() < until:
            others = self._others()
            empty = 0 if others else empty + 1
            time.sleep(TO_FOLLOW_S / 20)
        for pid, argv in others[:MOST_NAMED]:
            words = " ".join(map(shell_word, argv))
            if len(words) > LETTERS_OF_COMMAND:
                words = words[: LETTERS_OF_COMMAND - 1] + "…"
            self._say(f"started PID {pid} ({words}), which lives on")
        if len(others) > MOST_NAMED:
            self._say(f"started {len(others) - MOST_NAMED} more processes, which live on")

    def _say(self, text: str) -> None:
        self._log.append(Notice(time.monotonic_ns(), "info", text))
