"""`d`: compare a session with a recording, while it goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from perftui.probes.compare.comparison import ComparedRun
from perftui.probes.compare.place import place_here, place_of
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.read.reader import RecordingReader, open_recording
from perftui.tui.screens.dialogs.choose_baseline import ChooseBaseline, name_of

if TYPE_CHECKING:
    from pathlib import Path

    from textual.screen import Screen

    from perftui.probes.spine.reader import Reader
    from perftui.tui.screens.live.acts.session_thread import Say


def begin_diff(screen: Screen[None], reader: Reader, say: Say) -> None:
    """Ask for a baseline on top of a screen, and open the comparison of its session with it."""
    own = reader.path if isinstance(reader, RecordingReader) else None

    def chosen(path: Path | None) -> None:
        if path is not None:
            screen.run_worker(_open(screen, path, reader, say), group="diff", exclusive=True)

    screen.app.push_screen(ChooseBaseline(reader.target().title, own), chosen)


async def _open(screen: Screen[None], path: Path, reader: Reader, say: Say) -> None:
    try:
        base, new = await asyncio.to_thread(_runs, path, reader)
    except RecordingError as error:
        say(str(error))
        return
    from perftui.tui.screens.compare.screen import CompareScreen

    screen.app.push_screen(CompareScreen([base], [new], on_top=True))


def _runs(path: Path, reader: Reader) -> tuple[ComparedRun, ComparedRun]:
    """Open the baseline, and look at where this session is measured."""
    base = open_recording(path)
    if isinstance(reader, RecordingReader):
        new = ComparedRun(reader, name_of(reader.path), place_of(reader))
    else:
        new = ComparedRun(reader, "this session", place_here(reader))
    return ComparedRun(base, name_of(path), place_of(base)), new
