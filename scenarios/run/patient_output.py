"""Standard output of a scenario of ours: it measures to its end, whoever still listens.

A scenario prints as it goes. That its reader has left, or that a disk is full behind it, is no
reason to stop half-way and to fail; it is told at the end.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

_STDOUT_FD = 1


class PatientOutput(io.RawIOBase):
    """Writes to standard output until that fails for the first time, then to nowhere."""

    def __init__(self) -> None:
        self._failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of `data`, or keep why not."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while self._failure is None and rest:
            try:
                rest = rest[os.write(_STDOUT_FD, rest) :]
            except OSError as error:
                self._failure = error
        return size

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return 1."""
        return _STDOUT_FD

    def isatty(self) -> bool:
        """Tell whether a person reads."""
        return os.isatty(_STDOUT_FD)

    def problem(self) -> str | None:
        """Say why it was not all written; None if it was, or if the reader has seen enough."""
        sys.stdout.flush()
        failure = self._failure
        if failure is None or isinstance(failure, BrokenPipeError):
            return None
        return f"cannot write to standard output: {failure.strerror}"


def be_patient() -> PatientOutput:
    """Put it in the place of `sys.stdout`, with the same encoding and buffering."""
    found, patient = sys.stdout, PatientOutput()
    found.flush()
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(patient),
        encoding=found.encoding,
        errors="backslashreplace",
        line_buffering=patient.isatty() or getattr(found, "line_buffering", False),
        write_through=getattr(found, "write_through", False),
    )
    return patient
