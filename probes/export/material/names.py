"""Names in stack formats: whatever a program calls its functions, a viewer gets one clean line.

Tables hold every name as it is. In the formats here what cannot be seen, or would reorder or
end a line, becomes an escape (`\\x1b`, `\\u202e`), and what is longer than any screen is cut:
the viewers draw every name, some of them to a terminal.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.spine.calltree import Frame

LONGEST = 1_000
_HIDDEN = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])
_INSTALLED = re.compile(r".*/(?:site-packages|dist-packages|lib(?:64)?/python3\.\d+t?)/")


@lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """Return a name as one line that can be seen."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST * 2 // 3]}…{text[-(LONGEST // 3) :]}"
    if text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def short_file(file: str) -> str:
    """Return a source file without the folder that packages are installed in."""
    path = file.replace("\\", "/")
    installed = _INSTALLED.match(path)
    return path[installed.end() :] if installed else path.rpartition("/")[2]


def frame_label(frame: Frame, by_line: bool) -> str:
    """Return a frame as one text: "read (orders.py)", with its line if lines are told apart."""
    function = plain(frame.function) or "?"
    if not frame.file:
        return function
    line = f":{frame.line}" if by_line and frame.line > 0 else ""
    return f"{function} ({plain(short_file(frame.file))}{line})"
