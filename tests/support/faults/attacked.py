"""One run of perftui with a program, by pids: who is who, and whether all came through."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.own.python import own_module
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.summary import summarize
from support.waiting import has_ended

if TYPE_CHECKING:
    from collections.abc import Sequence

MARK = "PERFTUI_TEST_RUN"
LIMIT_S = 60.0
"""Patience with a starved machine, for the program and for perftui after it."""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    except OSError:
        return 0


ROLES = {
    b"/output/drain.py": "drain",
    b"/sampler/start.py": "sampler",
    b"perftui.probes.recording.write.recorder_main": "recorder",
    b"perftui.probes.recording.write.seal_main": "sealer",
}


def _role(words: list[bytes]) -> str:
    """Return what one of our processes is for, by its command line."""
    for end, role in ROLES.items():
        if any(word.endswith(end) for word in words):
            return role
    return "another"


class Attacked:
    """perftui run PROGRAM, headless or on a terminal of its own.

    Args:
        folder: An empty one.
        source: The program. It writes what it has done into the file that `sys.argv[1]` names.
        options: Of `perftui run`.
        screen: On a terminal; the program's output then goes through perftui.
    """

    def __init__(
        self, folder: Path, source: str, options: Sequence[str] = (), *, screen: bool = False
    ) -> None:
        self.folder = folder
        self.witness = folder / "witness"
        self.recording = folder / "run.perftui"
        self._out, self._err = folder / "out", folder / "err"
        self._id = uuid.uuid4().hex
        program = folder / "program.py"
        program.write_text(source)
        words = [*options, "--record", str(self.recording), "--", sys.executable, str(program)]
        argv = own_module("perftui", "run", *([] if screen else ["--headless"]), *words)
        env = {**os.environ, MARK: self._id, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        env.pop("PYTHONUNBUFFERED", None)
        self._terminal, inner = pty.openpty() if screen else (-1, -1)
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.perftui = subprocess.Popen(
                [*argv, str(self.witness)],
                stdin=inner if screen else subprocess.DEVNULL,
                stdout=inner if screen else out,
                stderr=err,
                env=env,
                start_new_session=True,
            )
        if screen:
            os.close(inner)
        self._shown = b""
        self._program = str(program).encode()
        self.ended_at_s: float | None = None
        """By the monotonic clock: when the program was seen to have ended."""

    def processes(self) -> dict[int, list[bytes]]:
        """Return all processes of this run by pid, with their command lines."""
        mark = f"{MARK}={self._id}".encode()
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (place / "environ").read_bytes().split(b"\0"):
                    words = (place / "cmdline").read_bytes().split(b"\0")[:-1]
                    if words:
                        found[int(place.name)] = words
        return found

    def targets(self) -> list[int]:
        """Return the processes of the program, and what they have started."""
        there = self.processes()
        found = {
            pid
            for pid, words in there.items()
            if self._program in words and b"perftui" not in words and pid != self.perftui.pid
        }
        parents = {pid: _parent(pid) for pid in there}
        while more := {pid for pid in there if parents[pid] in found} - found:
            found |= more
        return sorted(found)

    def ours(self) -> dict[int, str]:
        """Return perftui's processes, each with what it is."""
        theirs = set(self.targets())
        return {
            pid: "perftui" if pid == self.perftui.pid else _role(words)
            for pid, words in sorted(self.processes().items())
            if pid not in theirs
        }

    def read_terminal(self, for_s: float = 0.0) -> None:
        """Let the terminal show what there is to show: nobody writes into a full one."""
        if self._terminal < 0:
            time.sleep(for_s)
            return
        end = time.monotonic() + for_s
        while select.select([self._terminal], [], [], max(end - time.monotonic(), 0))[0]:
            try:
                self._shown += os.read(self._terminal, 1 << 16)
            except OSError:
                time.sleep(max(end - time.monotonic(), 0))
                return

    def wait_for_witness(self, text: str) -> bool:
        """Wait until the program has written a text; False if it does not come."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            with suppress(FileNotFoundError):
                if text in self.witness.read_text():
                    return True
            self.read_terminal(0.02)
        return False

    def wait_for_target(self) -> bool:
        """Wait until no process of the program is left; False if it does not end."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            self.read_terminal(0.01)
            if all(has_ended(pid) for pid in self.targets()):
                self.ended_at_s = time.monotonic()
                return True
        return False

    def wait_for_perftui(self, *, by_signal: bool = False) -> int | None:
        """Return perftui's exit code, None if it does not end.

        Args:
            by_signal: A screen waits for a person: it is told to end.
        """
        if by_signal:
            self.perftui.send_signal(signal.SIGTERM)
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            if (code := self.perftui.poll()) is not None:
                return code
            self.read_terminal(0.02)
        return None

    def left(self) -> list[list[bytes]]:
        """Return the command lines of what is still there some time after the end."""
        end = time.monotonic() + LIMIT_S / 2
        while time.monotonic() < end:
            there = {p: words for p, words in self.processes().items() if not has_ended(p)}
            if not there:
                return []
            self.read_terminal(0.05)
        return list(there.values())

    def said(self) -> str:
        """Return what perftui and the program wrote to stderr, and what a screen has shown."""
        return self._err.read_text(errors="replace") + self._shown.decode(errors="replace")

    def words(self) -> str:
        """Return the lines of perftui in what was said."""
        lines = self.said().splitlines()
        return " | ".join(line for line in lines if line.startswith("perftui"))[-600:]

    def output(self) -> bytes:
        """Return what came to standard output."""
        return self._out.read_bytes()

    def unreadable(self) -> str:
        """Return why the recording cannot be summed up, "" if it can."""
        try:
            summarize(open_recording(self.recording))
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def close(self) -> None:
        """End whatever is left."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGKILL)
        self.perftui.wait()
        if self._terminal >= 0:
            os.close(self._terminal)
