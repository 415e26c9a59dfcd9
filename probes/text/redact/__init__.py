"""Secrets are taken out before anything is shown or written; this is the one place that does it.

`redact_argv` while the arguments still have their boundaries, `redact_text` where there are none
(lines of output, notices, plans); `records` for what goes through the session's log. Names
decide (`names`), then looks (`shapes`); `values` knows where a value ends and which is none.
"""

from __future__ import annotations

from perftui.probes.text.redact.command_line import (
    redact_argv,
    redact_text,
    redact_title,
    title_of,
)
from perftui.probes.text.redact.names import is_secret_name
from perftui.probes.text.redact.shapes import MASK

RULES = 3
"""Grows with the rules: what was recorded under older ones is redacted again when it is read."""

__all__ = [
    "MASK",
    "RULES",
    "is_secret_name",
    "redact_argv",
    "redact_text",
    "redact_title",
    "title_of",
]
