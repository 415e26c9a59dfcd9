"""The palette: one meaning per colour, in a dark and a light theme of equal care.

Widgets never name a colour. They ask `paint_of(app)` for the finished Rich styles of the theme
that is on, or use the same names as `$variables` in their CSS.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App

DARK_COLOURS: dict[str, str] = {
    "faint": "#303844",  # frames and axes
    "dim": "#6e7886",  # labels, secondary text
    "bright": "#f4f7fa",  # the word that matters in a line
    "memory": "#e5a54b",
    "memory-text": "#e5a54b",
    "cpu": "#6196eb",
    "cpu-soft": "#2f4a78",
    "cpu-text": "#6196eb",
    "rows": "#78be6e",
    "rows-soft": "#3d6239",
    "rows-text": "#78be6e",
    "good": "#78be6e",
    "bad": "#e85c5c",
    "warn": "#e5a54b",
    "teal": "#409696",
    "violet": "#b284dc",
    "indigo": "#6e78b4",
    "slate": "#5a6473",
    "link": "#56b6c2",  # what can be done
    "on-link": "#0d1117",
    "tint-bad": "#2d161c",
    "tint-warn": "#2d2618",
    "tint-good": "#1a2c22",
    "tint-calm": "#161d28",
    "tint-cleared": "#1d222a",  # an alert that has gone
    "tint-range": "#1a2c3e",
    "band-1": "#1c2c36",
    "band-2": "#26263c",
    "band-3": "#322a1c",
    "band-4": "#2b3022",
    "band-5": "#34222a",
    "band-6": "#202e2a",
}

LIGHT_COLOURS: dict[str, str] = {
    "faint": "#cfd6de",
    "dim": "#66707c",
    "bright": "#0b0e13",
    "memory": "#e0962f",
    "memory-text": "#8a5500",
    "cpu": "#4f86dd",
    "cpu-soft": "#b4cdf2",
    "cpu-text": "#1f57b3",
    "rows": "#62ad57",
    "rows-soft": "#bfdfb9",
    "rows-text": "#2d7324",
    "good": "#2d7324",
    "bad": "#bb2727",
    "warn": "#8a5500",
    "teal": "#3f9a97",
    "violet": "#7d4bb0",
    "indigo": "#7f89c9",
    "slate": "#a3adb9",
    "link": "#0b7683",
    "on-link": "#ffffff",
    "tint-bad": "#fbe3e1",
    "tint-warn": "#fbeed5",
    "tint-good": "#e0f1df",
    "tint-calm": "#e9eef4",
    "tint-cleared": "#e6e8eb",
    "tint-range": "#d3e8f0",
    "band-1": "#d9eaf0",
    "band-2": "#e3e2f3",
    "band-3": "#f5ead4",
    "band-4": "#e6edd8",
    "band-5": "#f3e0e5",
    "band-6": "#dcefe7",
}

DARK = Theme(
    name="perftui-dark",
    primary="#56b6c2",
    secondary="#b284dc",
    accent="#56b6c2",
    warning="#e5a54b",
    error="#e85c5c",
    success="#78be6e",
    foreground="#cdd4dc",
    background="#0d1117",
    surface="#0d1117",
    panel="#11161e",
    dark=True,
    variables=DARK_COLOURS,
)
LIGHT = Theme(
    name="perftui-light",
    primary="#0b7683",
    secondary="#7d4bb0",
    accent="#0b7683",
    warning="#8a5500",
    error="#bb2727",
    success="#2d7324",
    foreground="#1f262e",
    background="#fbfcfd",
    surface="#fbfcfd",
    panel="#eff2f6",
    dark=False,
    variables=LIGHT_COLOURS,
)
THEMES = (DARK, LIGHT)

BANDS = 6
"""Number of muted backgrounds for phases."""


@dataclass(frozen=True, slots=True)
class Paint:
    """Finished styles of one theme. `x` colours text or a glyph, `x_bg` the cell behind."""

    text: Style
    dim: Style
    faint: Style
    bright: Style
    """The word that matters in a line: bold and bright."""
    link: Style
    """What can be done: keys, the range."""
    tab: Style
    """The tab that is open."""
    memory: Style
    memory_text: Style
    cpu: Style
    cpu_soft: Style
    cpu_text: Style
    rows: Style
    rows_soft: Style
    rows_text: Style
    good: Style
    bad: Style
    warn: Style
    teal: Style
    violet: Style
    indigo: Style
    slate: Style
    bad_bg: Style
    warn_bg: Style
    good_bg: Style
    calm_bg: Style
    cleared_bg: Style
    range_bg: Style
    panel_bg: Style
    on_area: Style
    """A thin line through a filled area."""
    bands: tuple[Style, ...]
    """Muted backgrounds of phases."""

    def named(self, name: str) -> Style:
        """Return the style of a field by its name: how pure drawing code refers to colours."""
        style = getattr(self, name)
        assert isinstance(style, Style)
        return style


def _ink(colour: str, *, bold: bool = False) -> Style:
    return Style(color=_solid(colour), bold=bold or None)


def _ground(colour: str) -> Style:
    return Style(bgcolor=_solid(colour))


def _solid(colour: str) -> Color:
    """Parse a colour of the theme; themes of others may say "ansi_blue" or "auto 87%"."""
    from textual.color import Color as ThemeColor
    from textual.color import ColorParseError

    try:
        return ThemeColor.parse(colour).rich_color
    except ColorParseError:
        return Color.default()


def make_paint(variables: Mapping[str, str]) -> Paint:
    """Build the styles from theme variables (`App.theme_variables`)."""
    fallback = DARK_COLOURS

    def colour(name: str) -> str:
        return variables.get(name) or fallback.get(name) or variables["foreground"]

    return Paint(
        text=_ink(colour("foreground")),
        dim=_ink(colour("dim")),
        faint=_ink(colour("faint")),
        bright=_ink(colour("bright"), bold=True),
        link=_ink(colour("link"), bold=True),
        tab=Style(color=_solid(colour("on-link")), bgcolor=_solid(colour("link")), bold=True),
        memory=_ink(colour("memory")),
        memory_text=_ink(colour("memory-text"), bold=True),
        cpu=_ink(colour("cpu")),
        cpu_soft=_ink(colour("cpu-soft")),
        cpu_text=_ink(colour("cpu-text"), bold=True),
        rows=_ink(colour("rows")),
        rows_soft=_ink(colour("rows-soft")),
        rows_text=_ink(colour("rows-text"), bold=True),
        good=_ink(colour("good"), bold=True),
        bad=_ink(colour("bad"), bold=True),
        warn=_ink(colour("warn"), bold=True),
        teal=_ink(colour("teal")),
        violet=_ink(colour("violet")),
        indigo=_ink(colour("indigo")),
        slate=_ink(colour("slate")),
        bad_bg=_ground(colour("tint-bad")),
        warn_bg=_ground(colour("tint-warn")),
        good_bg=_ground(colour("tint-good")),
        calm_bg=_ground(colour("tint-calm")),
        cleared_bg=_ground(colour("tint-cleared")),
        range_bg=_ground(colour("tint-range")),
        panel_bg=_ground(colour("panel")),
        on_area=_ink(colour("background"), bold=True),
        bands=tuple(_ground(colour(f"band-{n + 1}")) for n in range(BANDS)),
    )


_NAMES = ("foreground", "background", "panel", *DARK_COLOURS)


@lru_cache(maxsize=8)
def _cached_paint(colours: tuple[str | None, ...]) -> Paint:
    """Return the styles of some values of `_NAMES`; None: a theme does not know it."""
    named = zip(_NAMES, colours, strict=True)
    return make_paint({name: colour or "" for name, colour in named})


def paint_of(app: App[Any]) -> Paint:
    """Return the styles of the theme that is on; cheap enough for every redraw."""
    known = app.theme_variables or app.get_css_variables()
    return _cached_paint(tuple(map(known.get, _NAMES)))


def variable_defaults(dark: bool) -> dict[str, str]:
    """Return our own variables for themes of others, which do not define them."""
    return dict(DARK_COLOURS if dark else LIGHT_COLOURS)
