"""Saving what the screen shows: the command that does it, and running that beside the screen.

An export of an hour takes seconds of CPU. In the screen's own process it would hold up the
probes; a process of its own cannot, and it goes on if the person leaves.
"""

from __future__ import annotations

import asyncio
import shlex
import subprocess
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.own.python import own_module
from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture import choosing

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.tui.picture.selection import Selection
    from perftui.tui.picture.view import View

SCREEN = "screen"
"""The one format that is no export: the screen itself, as SVG."""


class Chosen(NamedTuple):
    """What of a session the screen is about, as words of `perftui export`."""

    words: tuple[str, ...]
    about: str
    """For people: "12.0-14.5 s, thread worker"; "" if it is the whole session."""


WHOLE = Chosen((), "")


def chosen_of(view: View, selection: Selection) -> Chosen:
    """Return the range, the thread and the grain that a person has chosen."""
    words: list[str] = []
    about: list[str] = []
    asked = choosing.asked_range(selection, view.status.t_start_ns, view.status.t_end_ns)
    if asked is not None:
        begin, end = ((t - view.status.t_start_ns) / NS_PER_S for t in asked)
        words += ["--from", f"{max(begin, 0.0)!r}", "--to", f"{end!r}"]
        about.append(f"{max(begin, 0.0):.2f}-{end:.2f} s")
    if selection.thread is not None:
        pid, tid = selection.thread
        names = {(t.pid, t.tid): t.name for t in view.threads}
        words += ["--thread", f"{pid}/{tid}"]
        about.append(f"thread {names.get((pid, tid)) or tid}")
    if selection.by_line:
        words.append("--by-line")
        about.append("by line")
    return Chosen(tuple(words), ", ".join(about))


def export_words(
    recording: Path | str, format_name: str, chosen: Chosen, out: str, *, force: bool = False
) -> list[str]:
    """Return the words of the command after `perftui`."""
    words = ["export", str(recording), "--format", format_name, *chosen.words]
    # A name that begins with a dash is no option here.
    words.append(f"--output={out}")
    return [*words, "--force"] if force else words


def shown_words(words: list[str]) -> str:
    """Return a command as a person would type it."""
    return shlex.join(["perftui", *words])


async def run_export(words: list[str]) -> tuple[bool, str]:
    """Run an export in a process of its own; returns whether it went well, and what it said."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[bool, str]] = loop.create_future()

    def settle(said: tuple[bool, str]) -> None:
        if not answer.done():
            answer.set_result(said)

    def work() -> None:
        said = _run(words)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, said)

    # A daemon: leaving the screen does not wait for it, and the process goes on without us.
    Thread(target=work, name="perftui-save", daemon=True).start()
    return await answer


def _run(words: list[str]) -> tuple[bool, str]:
    command = own_module("perftui", *words)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True
        )
    except OSError as error:
        return False, f"nothing was saved: {error.strerror or error}"
    told = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode == 0 and told:
        return True, f"saved {told.splitlines()[-1]}"
    errors = done.stderr.decode("utf-8", "replace").strip().splitlines()
    why = errors[-1].removeprefix("perftui: ") if errors else f"exit code {done.returncode}"
    return False, f"nothing was saved: {why}"
