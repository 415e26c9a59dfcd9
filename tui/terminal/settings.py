"""What is remembered from one start to the next: the theme, and which charts are shown how large.

A small TOML file: $PERFTUI_CONFIG, else `config.toml` where this system keeps settings (on Linux
$XDG_CONFIG_HOME/perftui, ~/.config/perftui). Only programs that are started from a command line
read it; a file that cannot be read costs a line of words, is left as it is, and the defaults hold.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.own.folders import config_folder, expanded
from perftui.tui.terminal.panels import CHARTS, MOST_ROWS, USUAL, Panels

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

MOST_BYTES = 100_000
_HEAD = "# Written by perftui when the theme or the charts are changed; yours to edit.\n"


class Settings(NamedTuple):
    """What was read, and what was wrong with it."""

    theme: str | None = None
    """None: ours."""
    panels: Panels = USUAL
    problem: str = ""
    """One line; "" if there is nothing to say."""


def settings_file() -> Path | None:
    """Return where settings are kept; None if $PERFTUI_CONFIG is set and empty."""
    own = os.environ.get("PERFTUI_CONFIG")
    if own is not None:
        return expanded(own) if own else None
    return config_folder() / "config.toml"


def read_settings(path: Path | None, themes: Collection[str]) -> Settings:
    """Read the settings; whatever is wrong with them, the rest holds.

    Args:
        path: Of the file, which need not be there.
        themes: Names of themes that there are.
    """
    if path is None:
        return Settings()
    try:
        if path.stat().st_size > MOST_BYTES or not path.is_file():
            return Settings(problem=f"{path} is no file of settings; defaults are used")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        return Settings(problem=f"{path} cannot be read ({_why(error)}); defaults are used")
    try:
        found = _parsed(text)
    except ValueError as error:
        return Settings(problem=f"{path} is not TOML ({error}); defaults are used")
    wrong = [
        name if name.isprintable() else repr(name)[1:-1]
        for name in found
        if name not in ("theme", "charts", "chart_rows")
    ]
    theme = found.get("theme")
    if theme is not None and not (isinstance(theme, str) and theme in themes):
        theme = None
        wrong.append("theme")
    charts, rows = found.get("charts", "all"), found.get("chart_rows", 0)
    if charts not in CHARTS:
        charts = "all"
        wrong.append("charts")
    if isinstance(rows, bool) or not isinstance(rows, int) or abs(rows) > MOST_ROWS:
        rows = 0
        wrong.append("chart_rows")
    said = f"{path}: {', '.join(sorted(wrong))} not understood and left out" if wrong else ""
    return Settings(theme, Panels(charts, rows), said)


def write_settings(path: Path | None, theme: str, panels: Panels) -> str:
    """Remember a choice; other lines of the file stay.

    Returns:
        "" if it was written, else why not, in one line.
    """
    if path is None:
        return ""
    from perftui.probes.own.whole_file import write_text

    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        text = _HEAD
    except (OSError, ValueError) as error:
        return f"not remembered: {path} cannot be read ({_why(error)})"
    values = {"theme": f'"{theme}"', "charts": f'"{panels.charts}"', "chart_rows": str(panels.rows)}
    try:
        _parsed(text)
        for name, value in values.items():
            text = _with(text, name, value)
        _parsed(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except ValueError as error:
        return f"not remembered: {path} is not TOML ({error})"
    except OSError as error:
        return f"not remembered: {path} cannot be written ({_why(error)})"
    return ""


def _parsed(text: str) -> dict[str, Any]:
    """Return a document.

    Raises:
        ValueError: it is none.
    """
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("too deeply nested") from None


def _with(text: str, name: str, value: str) -> str:
    """Set a key of the file's first table, which stands before all others."""
    line = f"{name} = {value}"
    table = re.search(r"^\s*\[", text, re.MULTILINE)
    end = len(text) if table is None else table.start()
    head, rest = text[:end], text[end:]
    head, count = re.subn(rf"^[ \t]*{name}[ \t]*=.*$", lambda _: line, head, flags=re.MULTILINE)
    if not count:
        head += ("" if not head or head.endswith("\n") else "\n") + line + "\n"
    return head + rest


def _why(error: Any) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)
