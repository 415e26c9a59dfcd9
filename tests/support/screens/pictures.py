"""Pictures of screens, held against those that are kept: SVG as Textual exports it."""

from __future__ import annotations

import html
import os
import re
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

KEPT = Path(__file__).resolve().parents[2] / "tui" / "screens" / "pictures"
TAKE = "PERFTUI_TAKE_PICTURES"
"""Set in the environment: keep what is seen now (`make pictures`)."""


def picture_of(app: App[Any]) -> str:
    """The screen as SVG; identifiers that follow from its own text are left out."""
    svg = app.export_screenshot(title="perftui")
    return re.sub(r"terminal-\d+", "terminal", svg).replace("><", ">\n<").strip() + "\n"


def words_of(svg: str) -> list[str]:
    """The rows of a picture as plain text, for a message."""
    rows: dict[str, str] = {}
    for top, text in re.findall(r'<text[^>]* y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        rows[top] = rows.get(top, "") + html.unescape(text).replace("\xa0", " ")
    return [row.rstrip() for row in rows.values()]


def check_picture(name: str, app: App[Any], folder: Path) -> None:
    """Fail unless the screen looks as it is kept.

    Args:
        name: Of the picture.
        app: What shows it.
        folder: What was seen instead is written there.
    """
    seen, kept = picture_of(app), KEPT / f"{name}.svg"
    if os.environ.get(TAKE):
        KEPT.mkdir(exist_ok=True)
        kept.write_text(seen)
        return
    wanted = kept.read_text() if kept.exists() else ""
    if seen == wanted:
        return
    other = folder / f"{name}.svg"
    other.write_text(seen)
    lines = list(unified_diff(words_of(wanted), words_of(seen), "kept", "seen", lineterm="", n=0))
    told = "\n".join(lines[:40]) or "the words are the same: colours or places differ"
    raise AssertionError(
        f"{name} looks different: see {other} beside {kept}.\n"
        f"If that is meant, `make pictures` keeps it.\n{told}"
    )
