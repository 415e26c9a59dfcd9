"""What somebody meant whose first word is no command: a program, a process, another spelling."""

from __future__ import annotations

import shutil
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.text.shell_words import shell_word
from perftui.tui.parser import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_WORDS = 6


def advice_on(words: Sequence[str]) -> str:
    """Return one line that says what to type instead.

    Args:
        words: A command line whose first word is no command and no option.
    """
    from perftui.probes.text.redact import redact_text
    from perftui.scenarios.run.runner import is_scenario

    first = words[0]
    shown = " ".join(shell_word(word) for word in words[:_MOST_WORDS])
    shown += " ..." if len(words) > _MOST_WORDS else ""
    close = get_close_matches(first, COMMANDS, 1, 0.7)
    if first.isdecimal():
        instead = f"to watch a process: perftui attach {shown}"
    elif Path(first).is_file() or first.endswith(".py"):
        instead = f"to start a program: perftui run {shown}"
    elif close:
        instead = f"did you mean {close[0]}?"
    elif is_scenario(first):
        instead = f"to start a scenario: perftui run {shown}"
    elif shutil.which(first):
        instead = f"to start a program: perftui run -- {shown}"
    else:
        instead = f"there are {', '.join(COMMANDS)}"
    return redact_text(f"{shell_word(first)} is no command; {instead}")
