"""The program that is watched: started by us, or found running. Nothing here measures."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from perftui.probes.own.child_status import in_the_child
from perftui.probes.process.end import EndOfProcess
from perftui.probes.process.family_mark import FamilyMark
from perftui.probes.process.opening import open_process
from perftui.probes.spine.records import Exit
from perftui.probes.text.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_GRACE_S = 3.0


class LaunchError(ValueError):
    """The program could not be started."""


class LaunchedTarget:
    """A child process of ours; its end is waited for on a thread, with the kernel's rusage.

    Args:
        argv: What to start.
        env: Its environment.
        pass_fds: Descriptors of ours that it inherits.
        stdin, stdout, stderr: As for `subprocess.Popen`; None inherits ours.
        own_session: Give it a session of its own, so that our terminal's keys and its end do
            not reach it behind our back.
        folder: Where it is started; None: where we are.
        before_exec: Called in the child before it becomes the program.

    Raises:
        LaunchError: with the system's reason.
    """

    launched = True

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        pass_fds: Sequence[int] = (),
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        own_session: bool = False,
        folder: str | None = None,
        before_exec: Callable[[], object] | None = None,
    ) -> None:
        self._own_session = own_session
        self.mark: FamilyMark | None = FamilyMark()
        """What it and all that it starts carry."""
        try:
            with self.mark.worn():
                self._popen = subprocess.Popen(
                    argv,
                    env=dict(env),
                    cwd=folder,
                    pass_fds=tuple(pass_fds),
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=own_session,
                    preexec_fn=in_the_child(before_exec),
                )
        except OSError as error:
            reason = error.strerror or str(error)
            program = redact_text(argv[0])
            raise LaunchError(f"cannot start {program!r}: {reason}") from error
        self.pid = self._popen.pid
        # A child is charged with the peak of the process that spawned it (getrusage(2) reads the
        # memory it shared until exec): below this the kernel's ru_maxrss says nothing about it.
        self._spawn_rss_bytes = open_process(os.getpid()).fast(0).high_water_rss_bytes or 0
        self._ended = Event()
        self.exit: Exit | None = None

    def limit_memory(self, limit_bytes: int) -> None:
        """Refuse it, and what it starts from now on, private memory beyond a limit.

        RLIMIT_DATA counts what is reserved writable, so it bites earlier than RSS would.
        """
        import resource

        with suppress(ProcessLookupError, AttributeError):
            resource.prlimit(self.pid, resource.RLIMIT_DATA, (limit_bytes, limit_bytes))

    def watch(
        self, on_exit: Callable[[Exit], None], after: Callable[[], None] = lambda: None
    ) -> None:
        """Wait for the end in the background and tell it; `after` is called when it is known."""

        def wait() -> None:
            # The pid stays ours until it is reaped here; nobody else may wait for it.
            try:
                _, status, usage = os.wait4(self.pid, 0)
            except ChildProcessError:
                # Somebody did: the program that we are part of, or the kernel, because SIGCHLD
                # is ignored. It has ended, and how is not known.
                self._popen.returncode = 0
                self._tell(Exit(time.monotonic_ns(), self.pid, None, None), on_exit)
                after()
                return
            code = os.waitstatus_to_exitcode(status)
            self._popen.returncode = code
            peak = usage.ru_maxrss * 1024
            ended = Exit(
                t_ns=time.monotonic_ns(),
                pid=self.pid,
                exit_code=code if code >= 0 else None,
                signal=-code if code < 0 else None,
                cpu_user_s=usage.ru_utime,
                cpu_system_s=usage.ru_stime,
                max_rss_bytes=peak if peak > self._spawn_rss_bytes else None,
            )
            self._tell(ended, on_exit)
            after()

        Thread(target=wait, name="perftui-wait", daemon=True).start()

    def _tell(self, ended: Exit, on_exit: Callable[[Exit], None]) -> None:
        self.exit = ended
        try:
            on_exit(ended)
        finally:
            self._ended.set()

    def abandon(self) -> None:
        """End it before anybody watches it, and wait for it here."""
        with suppress(ProcessLookupError):
            self._popen.terminate()
            try:
                self._popen.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
        self._ended.set()

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return not self._ended.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False if it did not come in time."""
        return self._ended.wait(timeout_s)

    def send(self, signum: int) -> None:
        """Send a signal to it (with a session of its own: to its process group)."""
        if not self.alive():
            return
        with suppress(ProcessLookupError):
            if self._own_session:
                os.killpg(self.pid, signum)
            else:
                os.kill(self.pid, signum)

    def stop(self, grace_s: float = _GRACE_S) -> None:
        """Ask it to end (SIGTERM), and kill it if it does not within `grace_s` seconds."""
        self.send(signal.SIGTERM)
        if not self.wait(grace_s):
            self.send(signal.SIGKILL)
            self.wait(grace_s)


class AttachedTarget:
    """A process that runs already. We only look; leaving never harms it.

    Raises:
        ProcessGone: there is no such process.
    """

    launched = False
    mark: FamilyMark | None = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process = open_process(pid)
        self._key = self._process.start_key
        self._end = EndOfProcess(self._process)
        self._ended = Event()
        self.exit: Exit | None = None

    def argv(self) -> tuple[str, ...]:
        """Return its command line."""
        return self._process.argv()

    def watch(
        self, on_exit: Callable[[Exit], None], after: Callable[[], None] = lambda: None
    ) -> None:
        """Notice the end in the background and tell it; its exit code is not ours to know."""

        def wait() -> None:
            if self._end.wait():
                self.exit = Exit(time.monotonic_ns(), self.pid, None, None)
                on_exit(self.exit)
                self._ended.set()
                after()

        Thread(target=wait, name="perftui-wait", daemon=True).start()

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return not self._ended.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False if it did not come in time."""
        return self._ended.wait(timeout_s)

    def leave(self) -> None:
        """Stop looking."""
        self._end.leave()
