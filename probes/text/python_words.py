"""What the command line of a Python interpreter runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WITH_WORD = frozenset({"-W", "-X", "--check-hash-based-pycs"})
"""Options of Python that the next word belongs to."""


def what_runs(words: Iterator[str]) -> tuple[str, str]:
    """Return ("-m", module), ("-c", code), or ("", the first word that is no option).

    Args:
        words: Of the command line; taken up to there. The last answer is ("", "").
    """
    for word in words:
        if word in ("-m", "-c"):
            return word, next(words, "")
        if word in _WITH_WORD:
            next(words, "")
        elif not word.startswith("-"):
            return "", word
    return "", ""
