"""How sure the figures of a thread are, for the label above its flame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.widgets.flame.detail import percent

if TYPE_CHECKING:
    from perftui.probes.spine.reader import ThreadTree


def by_whom(thread: ThreadTree) -> str:
    """Say how much of what a thread touched no sample met: then its place is an estimate."""
    touched = sum(cell.touched_bytes for cell in thread.self_by_node.values())
    unsure = sum(cell.unsure_bytes for cell in thread.self_by_node.values())
    if unsure * 4 <= touched:
        return ""
    return f", {percent(unsure / touched)} of it by whom no sample tells"
