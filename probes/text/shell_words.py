"""Words as a person can put them back into a shell."""

from __future__ import annotations

import os
import shlex


def shell_word(word: str) -> str:
    """Quote a word if it needs it; what cannot be typed is written as $'...' of bash and zsh."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = "".join(_escape(byte) for byte in os.fsencode(word))
    return f"$'{escaped}'"


def _escape(byte: int) -> str:
    char = chr(byte)
    if char in "\\'":
        return "\\" + char
    return char if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
