"""What a person can put right, told in one line; and the exit code that goes with it."""

from __future__ import annotations

USAGE_ERROR = 2


class UserError(Exception):
    """Something that a person can put right; the message is one line that says how."""
