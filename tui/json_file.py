"""Results as JSON where the person wants them: a file, or standard output."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.tui.words import say

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_json(data: Mapping[str, Any], path: str) -> None:
    """Write `data` to a file; "-" is standard output.

    A file is written beside and renamed: whoever waits for it never reads half of it. What is
    not a file (a pipe, /dev/null) is written to: a rename would put a file in its place.

    What cannot be written to standard output is told, and counts, at the end (`words.settle`).

    Raises:
        OSError: the file cannot be written.
    """
    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    if path == "-":
        say(text, end="", whole=True)
        return
    target = Path(path).resolve()  # a link stays a link
    if target.exists() and not target.is_file():
        target.write_text(text)
        return
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    part.write_text(text)
    part.replace(target)
