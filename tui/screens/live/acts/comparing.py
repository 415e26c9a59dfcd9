"""`d`: compare a session with a recording, while it goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from perftui.probes.compare.comparison import ComparedRun
from perftui.probes.compare.place import place_here, place_of
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.read.reader import open_recording
from perftui.tui.screens.dialogs.choose_baseline import ChooseBaseline, name_of
from perftui.tui.session.face import Recorded

if TYPE_CHECKING:
    from pathlib import Path

    from textual.screen import Screen

    from perftui.tui.screens.live.acts.session_thread import Say
    from perftui.tui.session.face import LiveSession


def begin_diff(screen: Screen[None], session: LiveSession, say: Say) -> None:
    """Ask for a baseline on top of a screen, and open the comparison of its session with it."""
    own = session.recorded.path if isinstance(session, Recorded) else None

    def chosen(path: Path | None) -> None:
        if path is not None:
            screen.run_worker(_open(screen, path, session, say), group="diff", exclusive=True)

    screen.app.push_screen(ChooseBaseline(session.reader.target().title, own), chosen)


async def _open(screen: Screen[None], path: Path, session: LiveSession, say: Say) -> None:
    try:
        base, new = await asyncio.to_thread(_runs, path, session)
    except RecordingError as error:
        say(str(error))
        return
    from perftui.tui.screens.compare.screen import CompareScreen

    screen.app.push_screen(CompareScreen([base], [new], on_top=True))


def _runs(path: Path, session: LiveSession) -> tuple[ComparedRun, ComparedRun]:
    """Open the baseline, and look at where this session is measured."""
    base = open_recording(path)
    if isinstance(session, Recorded):
        recorded = session.recorded
        new = ComparedRun(recorded, name_of(recorded.path), place_of(recorded))
    else:
        new = ComparedRun(session.reader, "this session", place_here(session.reader))
    return ComparedRun(base, name_of(path), place_of(base)), new
