"""A helper of ours that ends with its input is told so by the end of it."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import Any


def hang_up(process: subprocess.Popen[Any], patience_s: float) -> None:
    """Close the pipes to a child and wait for its end; one that does not come in time is made."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
