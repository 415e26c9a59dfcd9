"""Why something failed, in the words of who says so."""

from __future__ import annotations


def reason_of(error: BaseException) -> str:
    """Return what the system says of a file, without its number and path; else what it says."""
    told = error.strerror if isinstance(error, OSError) else None
    return told or str(error) or type(error).__name__
