"""Words of the watched program, made harmless before a person or another program reads them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|$)"  # OSC, DCS, ...: titles, clipboard
    r"|\x1b[ -/]*[0-~]?"  # any other escape
    r"|\x9b[0-?]*[ -/]*[@-~]",  # CSI in one byte
    re.DOTALL,
)
_REPLACED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Controls, format marks (bidi, zero width), surrogates, private use, unassigned, separators."""


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """Return `text` as one harmless line.

    Terminal escapes vanish, white space becomes one blank each, and what could not be seen or
    would reorder the line becomes `·`, so that a hostile name still looks odd.
    """
    if text.isascii() and text.isprintable():
        return text
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    return "".join(_harmless(char) for char in text)


def _harmless(char: str) -> str:
    if char.isspace():
        return " "
    if unicodedata.category(char) in _REPLACED:
        return "·"
    return char
