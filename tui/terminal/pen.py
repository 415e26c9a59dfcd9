"""Writes pieces of text with as few colour codes as they need.

Textual writes every piece with all of its colours before it and a reset behind it: three bytes
of four were that. What the terminal draws with stays as it is until something else is wanted; and
a space has no colour but that behind it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rich.color import ColorSystem
from textual.strip import SGR_STYLES

if TYPE_CHECKING:
    from rich.style import Style

_RESET = "\x1b[m"
_DEFAULT_INK, _DEFAULT_GROUND = "39", "49"


class _Codes(NamedTuple):
    """What a style is to a terminal: parameters of SGR (ECMA-48 8.3.117), "" for none."""

    attributes: str
    ink: str
    ground: str


_PLAIN = _Codes("", "", "")


@lru_cache(maxsize=4096)
def _codes(style: Style, system: ColorSystem) -> _Codes:
    bits = style._attributes & style._set_attributes
    attributes = [SGR_STYLES[bit] for bit in range(bits.bit_length()) if bits & (1 << bit)]
    ink = ground = ""
    if style.color is not None:
        ink = ";".join(style.color.downgrade(system).get_ansi_codes())
    if style.bgcolor is not None:
        ground = ";".join(style.bgcolor.downgrade(system).get_ansi_codes(foreground=False))
    return _Codes(
        ";".join(attributes),
        "" if ink == _DEFAULT_INK else ink,
        "" if ground == _DEFAULT_GROUND else ground,
    )


class Pen:
    """Knows what the terminal draws with; it begins, and ends with `lift`, without any colour."""

    def __init__(self, system: ColorSystem | None) -> None:
        self._system = system or ColorSystem.TRUECOLOR
        self._now = _PLAIN

    def write(self, text: str, style: Style | None) -> str:
        """Return the text with the codes that it needs from here on."""
        if not text:
            return ""
        wanted = _PLAIN if style is None else _codes(style, self._system)
        if not wanted.attributes and not self._now.attributes and text.isspace():
            wanted = wanted._replace(ink=self._now.ink)
        written = f"{self._change(wanted)}{text}"
        if style is not None and style.link:
            head = f"\x1b]8;id={style._link_id};{style.link}\x1b\\"
            return f"{head}{written}\x1b]8;;\x1b\\"
        return written

    def lift(self) -> str:
        """Return what takes all colours away."""
        return self._change(_PLAIN)

    def _change(self, wanted: _Codes) -> str:
        before, self._now = self._now, wanted
        if wanted == before:
            return ""
        if wanted == _PLAIN:
            return _RESET
        codes = []
        if before.attributes and wanted.attributes != before.attributes:
            codes, before = ["0"], _PLAIN
        if wanted.attributes != before.attributes:
            codes.append(wanted.attributes)
        if wanted.ink != before.ink:
            codes.append(wanted.ink or _DEFAULT_INK)
        if wanted.ground != before.ground:
            codes.append(wanted.ground or _DEFAULT_GROUND)
        return f"\x1b[{';'.join(codes)}m"
