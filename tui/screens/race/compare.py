"""The recordings of a race on the screen of `perftui compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.compare.comparison import ComparedRun
from perftui.probes.compare.facts import PhaseKey
from perftui.probes.compare.place import place_of
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.read.reader import open_recording
from perftui.tui.screens.compare.screen import CompareScreen
from perftui.tui.screens.dialogs.choose_baseline import name_of

if TYPE_CHECKING:
    from pathlib import Path


def comparison_screen(base: Path, new: Path, phase: str) -> CompareScreen:
    """Make the screen, at first about one phase; leaving it leads back.

    Raises:
        OSError: one of the recordings cannot be read.
    """
    try:
        one, other = (_run(path) for path in (base, new))
    except RecordingError as error:
        raise OSError(str(error)) from error
    return CompareScreen([one], [other], PhaseKey(phase, 1), on_top=True)


def _run(path: Path) -> ComparedRun:
    reader = open_recording(path)
    return ComparedRun(reader, name_of(path), place_of(reader))
