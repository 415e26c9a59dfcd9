"""Keeps a throw-away server: ends it and removes its folder when its owner is gone.

    python -I -S server_guard.py FOLDER UID GID [PREPARE [ARG]... --then] SERVER [ARG]...

What prepares the server's data is run to its end first. The owner holds the other end of
standard input. Run by path, standard library only.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

_GRACE_S = 5.0
_POLL_S = 0.02


def main(argv: list[str]) -> int:
    """Start the server, wait for the end of standard input or of the server, and clean up."""
    os.set_blocking(0, False)
    folder, uid, gid, *words = argv
    prepare, command = _split(words)
    account = {} if uid == "-" else {"user": int(uid), "group": int(gid), "extra_groups": []}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Only our owner's end counts: it may be talking to the server in its own cleaning up.
        signal.signal(number, signal.SIG_IGN)
    try:
        with open(os.path.join(folder, "server.log"), "wb") as log:  # noqa: PTH118, PTH123
            for step in filter(None, (prepare, command)):
                process = subprocess.Popen(
                    step,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    start_new_session=True,
                    **account,  # type: ignore[call-overload]
                )
                while process.poll() is None and _owner_lives():
                    time.sleep(_POLL_S)
                _end(process)
                if process.returncode or not _owner_lives():
                    return process.returncode or 0
        return 0
    finally:
        if not _owner_lives():
            shutil.rmtree(folder, ignore_errors=True)


def _split(words: "list[str]") -> "tuple[list[str], list[str]]":
    if "--then" not in words:
        return [], words
    at = words.index("--then")
    return words[:at], words[at + 1 :]


def _owner_lives() -> bool:
    try:
        return os.read(0, 1) != b""
    except BlockingIOError:
        return True


def _end(server: "subprocess.Popen[bytes]") -> None:
    # SIGINT: both PostgreSQL and Redis then end at once, without waiting for their clients.
    for number in (signal.SIGINT, signal.SIGKILL):
        if server.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, number)
        try:
            server.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            continue
        break


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
