"""The scenario's end of `target.orders`: the function is run, and the process waits for orders.

`again` calls the function once more: modules, caches and connections of the process are there,
it is warm. `restart` makes the process another one by exec: same pid, nothing else is kept.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import perftui
from perftui.probes.target.kept_process import CHILD_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

CALL = "run"
COLD, WARM = "cold run", "warm run"
WAITING = "waiting"
"""Phases. That a process waits for a person is no fault: detectors know the word."""


class Surroundings:
    """What a run may change and a new program must not inherit: directory, variables, argv.

    Taken before anything of the scenario is imported.
    """

    def __init__(self) -> None:
        self.environ = dict(os.environ)
        self.directory = os.getcwd()  # noqa: PTH109 - before anything is imported
        self.argv = list(sys.orig_argv)

    def exec_again(self, orders_fd: int) -> NoReturn:
        """Become the same program anew. What is registered with atexit is done before."""
        import atexit

        _flush()
        atexit._run_exitfuncs()
        _flush()  # what they have printed: nobody does it for a program that execs
        environ = {**self.environ, CHILD_VARIABLE: _address(orders_fd)}
        agent = getattr(sys.modules.get("_perftui_agent"), "agent", None)
        if agent is not None:
            environ = agent.environment_for_exec(environ)
        os.set_inheritable(orders_fd, True)
        os.chdir(self.directory)
        os.execve(sys.executable, self.argv, environ)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A program may have closed or replaced them, or nobody reads any more.
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()


class OrderLine:
    """The descriptor that orders come from and answers go to."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        os.set_inheritable(fd, False)
        self._rest = b""

    def answer(self, *, ok: bool, cold: bool, **times_ns: int) -> None:
        """Say how a run went. If nobody listens any more, the next `wait` tells."""
        # JSON by hand: what we import here, the scenario would no longer import itself.
        said = [f'"{name}": {str(value).lower()}' for name, value in (("ok", ok), ("cold", cold))]
        said += [f'"{name}": {value:d}' for name, value in times_ns.items()]
        with suppress(OSError):
            os.write(self.fd, f'{{"run": {{{", ".join(said)}}}}}\n'.encode())

    def wait(self) -> str:
        """Wait for an order; "" when there will be none."""
        while b"\n" not in self._rest:
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                return ""
            if not data:
                return ""
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("ascii", "replace")


def order_line() -> OrderLine | None:
    """Return the line to whoever started us and wants this process kept, None without one."""
    said = os.environ.pop(CHILD_VARIABLE, "")
    number, _, inode = said.partition(":")
    try:
        fd = int(number)
        if os.fstat(fd).st_ino != int(inode):
            return None  # another file by now: some parent closed what was ours
    except (ValueError, OSError):
        return None
    return OrderLine(fd)


def _address(fd: int) -> str:
    return f"{fd}:{os.fstat(fd).st_ino}"


def run_kept(
    run: Callable[[], int], line: OrderLine, surroundings: Surroundings, t_main_ns: int
) -> int:
    """Run until nobody orders more; returns the exit code of the last run.

    Args:
        run: Runs the scenario once and returns its exit code.
        line: Where orders come from.
        surroundings: As they were when the process began.
        t_main_ns: When our own code began to run.
    """
    held_ns = int(getattr(sys.modules.get("_perftui_agent"), "held_ns", 0))
    cold = True
    while True:
        t_work_ns = time.monotonic_ns()
        with perftui.phase(COLD if cold else WARM), perftui.call(CALL):
            code = run()
        sys.stdout.flush()
        line.answer(
            cold=cold,
            t_main=t_main_ns,
            held=held_ns,
            t_work=t_work_ns,
            t_done=time.monotonic_ns(),
            ok=code == 0,
        )
        with perftui.phase(WAITING):
            order = line.wait()
        if order == "restart":
            surroundings.exec_again(line.fd)
        if order != "again":
            return code
        cold = False
