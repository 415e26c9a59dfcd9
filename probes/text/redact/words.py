"""The words of a shell's command line, with their places in it."""

from __future__ import annotations

import re
from typing import NamedTuple

from perftui.probes.own.pattern import pattern

_PIECE = pattern(
    r"(?P<space>[ \t]+)|(?P<end>[;&|()\n]+|&&|\|\|)"
    r"|'(?P<single>[^']*)(?:'|$)"
    r'|(?P<double>"[^"\\]*(?:\\.[^"\\]*)*(?:"|$))'
    r"|\\(?P<escaped>.)|(?P<plain>\$\([^()]*\)|[^\s;&|()'\"\\]+?(?=\$\(|[\s;&|()'\"\\]|$))|(?P<other>.)",
    re.DOTALL,
)
_ESCAPED = pattern(r'\\([\\"$`\n])')


class Word(NamedTuple):
    """One word."""

    start: int
    end: int
    text: str
    """What the program gets: without quotes and escapes."""
    begins: bool
    """It is the first of a command."""


def words_of(text: str) -> list[Word]:
    """Split a command line as a shell would; quotes that are never closed go to the end."""
    words: list[Word] = []
    parts: list[str] = []
    start = -1
    begins = True

    def close(end: int) -> None:
        nonlocal start, begins
        if start >= 0:
            words.append(Word(start, end, "".join(parts), begins))
            parts.clear()
            start, begins = -1, False

    for piece in _PIECE.finditer(text):
        kind = piece.lastgroup
        if kind in ("space", "end"):
            close(piece.start())
            begins = begins or kind == "end"
            continue
        if start < 0:
            start = piece.start()
        if kind == "double":
            raw = piece[0][1:]
            raw = raw[:-1] if raw.endswith('"') else raw
            parts.append(_ESCAPED.sub(r"\1", raw))
        elif kind == "escaped":
            parts.append("" if piece["escaped"] == "\n" else piece["escaped"])
        else:
            parts.append(piece[kind or 0] or "")
    close(len(text))
    return words


def commands_of(text: str) -> list[list[Word]]:
    """Return the words of a command line by command: those of a pipeline are several."""
    commands: list[list[Word]] = []
    for word in words_of(text):
        if word.begins or not commands:
            commands.append([])
        commands[-1].append(word)
    return commands


def as_word(text: str, raw: str) -> str:
    """Return a word as it is written in a command line, quoted as `raw` was."""
    if raw.startswith("'") and "'" not in text:
        return f"'{text}'"
    if raw.startswith('"') or "'" in text:
        inner = re.sub(r'([\\"`])', r"\\\1", text)
        return f'"{inner}"'
    return f"'{text}'" if re.search(r"[\s;&|()\"\\]", text) else text
