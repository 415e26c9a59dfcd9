"""Host side: what an interpreter must be given so that it loads the agent.

    env, pass_fds, channel = agent_environment(os.environ)
    process = subprocess.Popen(argv, env=env, pass_fds=pass_fds)
    channel.close_child_ends()
    ...                         # attach whatever is to see the first line of the program
    channel.open_gate()         # or the program goes on by itself after one second

The program starts natively. `-I`, `-E`, `-S` and programs that are not Python ignore all this.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from perftui.probes.agent_link.order_board import OrderBoard

if TYPE_CHECKING:
    from collections.abc import Mapping

HOOK_FOLDER = Path(__file__).resolve().parents[1] / "agent" / "hook"
FIRST_FD = 200
"""The program's own descriptors must be numbered as if ours were not there."""
PIPE_BYTES = 1 << 20


class AgentChannel:
    """The pipes between one launched program and us. Closing twice is fine."""

    def __init__(self, board: OrderBoard | None = None) -> None:
        self.read_fd, write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        """Records come out here; `agent_reader.AgentProbe` reads it. Ours until `close`."""
        gate_read_fd, self._gate_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # over the limit of unprivileged users: 64 KiB then
            fcntl.fcntl(write_fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        keep_fd = os.dup(self.read_fd)
        self.board = board
        """Where orders to the agents are written, None if they are to hear none."""
        ends = [write_fd, keep_fd, gate_read_fd]
        if board is not None:
            ends.append(os.dup(board.fd))
        self.child_fds = tuple(_move_up(fd) for fd in ends)
        """In the program: where records go, a read end of the same pipe, the gate, and the board
        (if there is one)."""
        self._child_open = True
        self._gate_lock = Lock()  # a probe that is ready and a timer may open it at once

    def close_child_ends(self) -> None:
        """Close what only the program needs, once it has been started."""
        if self._child_open:
            self._child_open = False
            for fd in self.child_fds:
                os.close(fd)

    def open_gate(self, *, sampler_hz: float | None = None) -> bool:
        """Let the program go, and have it sample its own stacks if a rate is given.

        False if it had been let go before.
        """
        with self._gate_lock:
            gate_fd, self._gate_fd = self._gate_fd, -1
        if gate_fd >= 0:
            if sampler_hz:
                with contextlib.suppress(OSError):  # it has gone by itself, or ended
                    os.write(gate_fd, b"%g" % sampler_hz)
            os.close(gate_fd)
        return gate_fd >= 0

    def close(self) -> None:
        """Give everything up; the program goes on, its records go nowhere."""
        self.close_child_ends()
        self.open_gate()
        if self.board is not None:
            self.board.close()
        if self.read_fd >= 0:
            os.close(self.read_fd)
            self.read_fd = -1


def agent_environment(
    env: Mapping[str, str],
    *,
    sampler_hz: float | None = None,
    tracer_pid: int | None = None,
    line_buffered: bool = False,
    hears_orders: bool = False,
    captures: Path | None = None,
) -> tuple[dict[str, str], tuple[int, ...], AgentChannel]:
    """Return the environment and the descriptors to start a program with, and our ends.

    Args:
        env: what the program is to see; the agent restores exactly this.
        sampler_hz: sample stacks from inside at this rate. Only where nobody may look from
            outside: it is a thread in the program, and late whenever the GIL is held long.
        line_buffered: flush standard output after every line, so that a log shows it at once
            though it is no terminal. The bytes stay the same.
        hears_orders: let the agent hear orders (`OrderBoard`): a thread beside the program's.
        captures: have memray record allocations into files in this folder.
        tracer_pid: a process that must be allowed to trace the program (Yama, scope 1).
    """
    channel = AgentChannel(OrderBoard() if hears_orders else None)
    record_fd, keep_fd, gate_fd, *board = channel.child_fds
    board_fd = board[0] if board else 0
    pipe, gate = os.fstat(record_fd), os.fstat(gate_fd)
    order: tuple[object, ...] = (
        record_fd,
        keep_fd,
        gate_fd,
        pipe.st_dev,
        pipe.st_ino,
        gate.st_ino,
        tracer_pid or 0,
        int(line_buffered),
        sampler_hz or 0.0,
        board_fd,
        os.fstat(board_fd).st_ino if board_fd else 0,
    )
    if captures is not None:
        order = (*order, "m" + os.fsencode(captures.absolute()).hex())
    child = {k: v for k, v in env.items() if not k.startswith("PERFTUI_AGENT")}
    pythonpath = child.get("PYTHONPATH")
    if pythonpath is not None:
        child["PERFTUI_AGENT_PYTHONPATH"] = pythonpath
    hook = str(HOOK_FOLDER)
    child["PYTHONPATH"] = f"{hook}{os.pathsep}{pythonpath}" if pythonpath else hook
    child["PERFTUI_AGENT"] = ":".join(map(str, order))
    return child, channel.child_fds, channel


def _move_up(fd: int) -> int:
    """Return `fd` under a number from FIRST_FD on, if the limit allows that."""
    try:
        moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_FD)
    except OSError:
        return fd
    os.close(fd)
    return moved
