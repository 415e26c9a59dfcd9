"""What a person asked of a run: what is measured, kept, told, and how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from perftui.probes.session_options import ProbeOptions, RecordOptions
    from perftui.tui.session.notify import How


class WatchOptions(NamedTuple):
    """The options of `run` and `attach`, with a screen or without."""

    probes: ProbeOptions
    record: RecordOptions
    json_path: str | None = None
    """Where the summary goes; "-" is standard output."""
    duration_s: float | None = None
    """Stop after so long."""
    fail_on: tuple[str, ...] = ()
    """Kinds of alerts: the exit code is 1 if one of them was raised."""
    notify: How = "off"
