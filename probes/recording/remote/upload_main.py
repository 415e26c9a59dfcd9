"""The process that sends a recording: fsspec and its clients are here, and gone again after.

    python -m perftui.probes.recording.remote.upload_main < order > answers

The order is one JSON object on stdin, where no list of processes shows the address:
{"do": "begin" | "send" | "send whole" | "take back", "url", "directory", "kept", "last"}. Answers
are JSON lines: {"sent", "bytes"} for each file, then {"done"} or {"problem", "lasting"}.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.remote.address import RemoteAddress
from perftui.probes.recording.remote.kept import LocalCopy
from perftui.probes.recording.remote.sending import begin, send, send_whole, take_back
from perftui.probes.recording.remote.store import RemoteStore, StoreError
from perftui.probes.text.reason import reason_of
from perftui.probes.text.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_NICENESS = 5


def _answer(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def _say_sent(name: str, size: int) -> None:
    _answer(sent=name, bytes=size)


def obey(order: Mapping[str, Any]) -> None:
    """Do what is ordered.

    Raises:
        RecordingError: it cannot be done.
        OSError: something here cannot be read or written.
    """
    store = RemoteStore(RemoteAddress(order["url"]))
    if order["do"] == "begin":
        begin(store)
    elif order["do"] == "take back":
        take_back(store)
    elif order["do"] == "send whole":
        with TemporaryDirectory(prefix="perftui-upload-") as scratch:
            send_whole(store, Path(order["directory"]), LocalCopy(Path(scratch)), _say_sent)
    else:
        kept = LocalCopy(Path(order["kept"]))
        note = kept.note()
        if note is None:
            raise RecordingError(f"{kept.folder} has no note of what was sent")
        send(
            store,
            Path(order["directory"]),
            kept,
            note,
            last=order["last"],
            sent=_say_sent,
        )


def main() -> int:
    """Run as a process; whatever goes wrong is said in one line."""
    for signum in (signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # a terminal's keys are not for us
    with suppress(OSError):
        os.nice(_NICENESS)
    try:
        obey(json.loads(sys.stdin.readline()))
    except (RecordingError, OSError) as error:
        lasting = isinstance(error, StoreError) and error.lasting
        _answer(problem=redact_text(reason_of(error)), lasting=lasting)
        return 1
    except Exception as error:  # its text may hold anything
        _answer(problem=f"uploading failed ({type(error).__name__})", lasting=False)
        return 1
    _answer(done=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
