"""A recording on the live screen, on top of another screen: leaving it leads back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.screens.live.screen import LiveScreen

if TYPE_CHECKING:
    from pathlib import Path


def recorded_screen(recording: Path) -> LiveScreen:
    """Make the screen of a recording.

    Raises:
        OSError: it cannot be read.
    """
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.recording.read.container import open_container
    from perftui.tui.session.recorded import open_session

    try:
        return LiveScreen(open_session(open_container(recording)), leads_back=True)
    except RecordingError as error:
        raise OSError(str(error)) from error
