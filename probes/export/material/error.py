"""The one error of exports."""

from __future__ import annotations

from perftui.probes.recording.format.limits import RecordingError


class ExportError(RecordingError):
    """An export cannot be made; the message is one line that says why and what to do."""
