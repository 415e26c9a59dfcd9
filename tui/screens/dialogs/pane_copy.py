"""Copying a pane as text: to the terminal's clipboard, and to a file for terminals without one."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual.widget import Widget

from perftui.probes.own.folders import cache_folder
from perftui.probes.own.whole_file import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App


def copy_pane(app: App[Any], pane: Widget) -> str:
    """Copy what a pane shows, and return what to say about it."""
    text = pane_text(pane)
    app.copy_to_clipboard(text)
    lines = text.count("\n") + 1
    try:
        where = write_copy(text)
    except OSError as error:
        return f"copied {lines} lines to the terminal's clipboard; no file: {error}"
    return f"copied {lines} lines to the terminal's clipboard, and to {where}"


def pane_text(pane: Widget) -> str:
    """Return what a pane shows as plain text."""
    lines: list[str] = []
    parts = [w for w in (pane, *pane.walk_children()) if isinstance(w, Widget)]
    leaves = [w for w in parts if not w.children and w.display]
    for widget in leaves:
        for y in range(widget.size.height):
            with suppress(Exception):
                lines.append(widget.render_line(y).text.rstrip())
    return "\n".join(lines).strip("\n")


def write_copy(text: str) -> Path:
    """Write what was copied where a person finds it, for terminals that ignore OSC 52."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "copied.txt"
    write_text(path, text + "\n", sync=False)
    return path
