"""Results as JSON where the person wants them: a file, or standard output."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from perftui.probes.whole_file import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_json(data: Mapping[str, Any], path: str) -> None:
    """Write `data` to a file; "-" is standard output.

    Whoever waits for a file never reads half of it; see `whole_file`.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    if path == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    write_text(path, text)
