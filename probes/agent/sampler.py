"""Stacks from inside the program: the fallback where nobody may look from outside.

A raw thread that reads `sys._current_frames` at a rate. It is the one thing of ours that a
program can notice: it needs the GIL, so it is late while native code holds it, and the process
has a thread more (see `beside`).
"""

import posix
import sys
import time
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any

    from perftui.probes.agent.runtime import Agent

frames_of_threads: "Any" = getattr(
    sys.modules.get("_perftui_agent"), "frames_of_threads", sys._current_frames
)
"""`runtime.frames_of_threads`, where that is loaded."""

LONGEST_NS = 100_000_000
"""A stack that does not change is told again after this long: the screen shows the present, and
no more than this is lost when the process is killed."""
BODY_BYTES = 3500
OUTER_FRAMES = 8
"""Of a stack too deep for a line, these outermost frames stay; the middle goes."""


class ThreadSampler:
    """Samples every Python thread of this process but its own."""

    def __init__(self, agent: "Agent", rate_hz: float, beside: "Any") -> None:
        self._agent = agent
        self._period_s = 1.0 / rate_hz
        self._pid = agent.pid
        self._main_ident = get_ident()
        self._names: "dict[int, str]" = {}
        self._held: "dict[int, Any]" = {}  # ident: [stack, since t_ns, until t_ns]
        self._thread = beside(agent, self._turn, self._first, self._last)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def _first(self) -> None:
        self._held = {}
        if self._agent.pid != self._pid:  # forked: what was the main thread has gone
            self._pid = self._agent.pid
            self._main_ident = get_ident()
            self._names.clear()

    def _turn(self) -> float:
        self._sample(get_ident())
        return self._period_s

    def _last(self) -> None:
        now = time.monotonic_ns()
        for ident, held in self._held.items():
            self._send(now, ident, held[0], held[1])

    def _sample(self, me: int) -> None:
        frames = frames_of_threads()
        now = time.monotonic_ns()
        held_by = self._held
        for ident, frame in frames.items():
            if ident == me:
                continue
            stack = _stack_of(frame)
            held = held_by.get(ident)
            if held is None:
                held_by[ident] = [stack, now, now]
            elif held[0] != stack or now - held[1] > LONGEST_NS:
                self._send(now, ident, held[0], held[1])
                held_by[ident] = [stack, now, now]
            else:
                held[2] = now
        for ident in [ident for ident in held_by if ident not in frames]:
            held = held_by.pop(ident)
            self._send(held[2], ident, held[0], held[1])

    def _thread_of(self, ident: int) -> "tuple[int | None, str]":
        """Return the native id and name; a thread that `threading` does not know has no id."""
        name = ""
        tid = posix.getpid() if ident == self._main_ident else None
        threads = getattr(sys.modules.get("threading"), "_active", None)
        thread = threads.get(ident) if threads is not None else None
        if thread is not None:
            name = str(getattr(thread, "_name", ""))
            tid = tid or getattr(thread, "_native_id", None)
        return tid, name

    def _send(self, now_ns: int, ident: int, stack: "Any", since_ns: int) -> None:
        tid, name = self._thread_of(ident)
        if tid is None or now_ns <= since_ns:
            return
        agent = self._agent
        if name and self._names.get(tid) != name:
            self._names[tid] = name
            agent.wire.send(
                '{"k":"thread_name","t":%d,"pid":%d,"tid":%d,"name":%s'
                % (now_ns, agent.pid, tid, agent.quote(name, 200))
            )
        files, frames = self._encoded(stack)
        agent.wire.send(
            '{"k":"stack","t":%d,"pid":%d,"tid":%d,"dur_ns":%d,"files":[%s],"frames":[%s]'
            % (now_ns, agent.pid, tid, now_ns - since_ns, files, frames)
        )

    def _encoded(self, stack: "tuple[tuple[CodeType, int], ...]") -> "tuple[str, str]":
        """Return the stack outermost first: a list of files, and frames that name them by index."""
        quote = self._agent.quote
        files: "dict[str, int]" = {}
        sizes = 0

        def piece(code: "CodeType", line: int) -> str:
            nonlocal sizes
            file = code.co_filename
            if file not in files:
                files[file] = len(files)
                sizes += len(quote(file, 400)) + 1
            function = getattr(code, "co_qualname", code.co_name)  # 3.11 on
            text = "[%s,%d,%d]" % (quote(function, 200), files[file], line)
            sizes += len(text) + 1
            return text

        outer = [piece(*entry) for entry in stack[-1 : -OUTER_FRAMES - 1 : -1]]
        inner = []
        for entry in stack[: max(len(stack) - OUTER_FRAMES, 0)]:
            if sizes > BODY_BYTES - 700:
                inner.append('["\\u2026",-1,0]')
                break
            inner.append(piece(*entry))
        inner.reverse()
        return ",".join([quote(file, 400) for file in files]), ",".join(outer + inner)


def _stack_of(frame: "FrameType | None") -> "tuple[tuple[CodeType, int], ...]":
    """Return the stack innermost first."""
    stack = []
    while frame is not None:
        stack.append((frame.f_code, frame.f_lineno or 0))
        frame = frame.f_back
    return tuple(stack)
