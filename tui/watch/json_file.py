"""Results as JSON where the person wants them: a file, or standard output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perftui.probes.own.whole_file import write_text
from perftui.tui.text.words import say

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_json(data: Mapping[str, Any], path: str) -> None:
    """Write `data` to a file; "-" is standard output.

    Whoever waits for a file never reads half of it; see `whole_file`.

    What cannot be written to standard output is told, and counts, at the end (`words.settle`).

    Raises:
        OSError: the file cannot be written.
    """
    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    if path == "-":
        say(text, end="", whole=True)
        return
    write_text(path, text)
