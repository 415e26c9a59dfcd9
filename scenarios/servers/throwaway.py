"""A server for the length of a scenario: on a unix socket, in a temporary folder, gone afterwards.

A guard process starts the server, and holds the read end of a pipe whose other end only this
process has. When the pipe ends, whether the scenario is done, interrupted or killed, the guard
ends the server and removes the folder. Both are children of the scenario: what the server costs
is in the picture.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.own.python import own_script
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SOCKET_PATH_LIMIT = 100
"""Unix allows 108 bytes; the file's own name comes on top."""
_READY_S = 20.0
_STOPPED_S = 15.0
_WRONG = re.compile(r"error|fatal|denied|cannot|could not|failed|no such", re.IGNORECASE)
_GUARD = Path(__file__).with_name("guard.py")


class Account(NamedTuple):
    """Who runs a server: nobody special, unless we are root."""

    uid: int
    gid: int
    name: str


def server_account(preferred: str) -> Account | None:
    """The account to run a server as; None is our own. Servers do not run as root.

    Raises:
        ScenarioError: We are root and the machine has no account for this.
    """
    if os.geteuid() != 0:
        return None
    for name in (preferred, "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid, name)
    raise ScenarioError(
        f"as root a server needs an account to run as, and there is neither {preferred} nor nobody"
    )


@contextmanager
def server_folder(name: str, account: Account | None) -> Iterator[Path]:
    """A temporary folder that belongs to the account, short enough for a unix socket.

    Raises:
        ScenarioError: There is no place for it.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"perftui-{name}-", dir=_place(account)))
    try:
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place(account: Account | None) -> Path:
    for place in map(Path, (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")):
        short = len(str(place)) + 40 < _SOCKET_PATH_LIMIT
        if place.is_dir() and short and (account is None or reachable(place)):
            return place
    raise ScenarioError("no temporary folder is short enough for a unix socket: set TMPDIR to /tmp")


def reachable(path: Path) -> bool:
    """Whether other accounts can get to a path: every folder above it lets them through."""
    resolved = path.resolve()
    folders = [resolved, *resolved.parents] if resolved.is_dir() else list(resolved.parents)
    return all(folder.stat().st_mode & 0o001 for folder in folders)


@contextmanager
def guarded_server(
    title: str,
    argv: Sequence[str],
    folder: Path,
    account: Account | None,
    ready: Callable[[], bool],
) -> Iterator[None]:
    """Run a server below a guard until the block ends.

    Args:
        title: For messages.
        argv: Of the server, which must stay in the foreground; "PREPARE... --then" may precede.
        folder: Its working folder; its output goes to server.log there.
        account: Who runs it.
        ready: Tells whether it takes connections.

    Raises:
        ScenarioError: It ended or was not ready in time; with the line that says why.
    """
    ids = ["-", "-"] if account is None else [str(account.uid), str(account.gid)]
    guard = subprocess.Popen(
        own_script(_GUARD, str(folder), *ids, *argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the scenario, which then ends the server
    )
    try:
        end = time.monotonic() + _READY_S
        while not ready():
            if guard.poll() is not None or time.monotonic() > end:
                raise ScenarioError(f"{title} did not start: {_why(folder / 'server.log')}")
            time.sleep(0.01)
        yield
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        try:
            guard.wait(_STOPPED_S)
        except subprocess.TimeoutExpired:
            guard.kill()
            guard.wait()


def _why(file: Path) -> str:
    """The last line that says what is wrong; what came after it only cleaned up."""
    try:
        said = [line.strip() for line in file.read_text(errors="replace").split("\n")]
    except OSError:
        said = []
    lines = [line for line in said if line]
    wrong = [line for line in lines if _WRONG.search(line)]
    return (wrong or lines or ["it wrote nothing"])[-1]
