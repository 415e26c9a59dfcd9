"""What a thread waits for, told from the stack it waits in.

py-spy sees the Python line that called into native code, not what the native code does. The
module of that line is the best name for the wait ("waiting in lancedb"); a wait inside the
standard library is named after the thing waited for. `facts` behind it: a sampler that hides
idle threads would hide all of a query engine's work, which runs on native threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.calltree import ROOT, is_stdlib, package_of

if TYPE_CHECKING:
    from perftui.probes.spine.calltree import CallTree

OFF_CPU_SHARE = 0.2
"""A thread that used less of the time than this is said to wait."""

WAIT_WORDS = {
    "sleep_ns": "sleep",
    "lock_ns": "lock",
    "io_ns": "I/O",
    "gil_ns": "GIL",
    "queue_ns": "run queue",
    "child_ns": "child process",
}
"""Fields of `Weights` for the kinds of waiting, in words."""

STDLIB_WAITS = {
    "selectors": "waiting for I/O (selectors)",
    "socket": "waiting on a socket",
    "ssl": "waiting on a socket",
    "subprocess": "waiting for a child process",
    "multiprocessing": "waiting for a child process",
    "queue": "waiting on a queue",
    "threading": "waiting for a lock",
    "concurrent": "waiting for a result",
    "asyncio": "waiting in the event loop",
}


def waiting_for(
    tree: CallTree, node: int, off_cpu_share: float, run_wait_share: float, busy_native: int
) -> str:
    """Name what a thread waits for whose innermost Python frame is `node`.

    Args:
        tree: The call tree of `node`.
        node: Leaf where the thread stands off the CPU.
        off_cpu_share: Share of the time that it was not on a core.
        run_wait_share: Share of the time that it could run and no core was free.
        busy_native: Native threads of the process that burn CPU meanwhile.
    """
    if node == ROOT:
        return ""
    if run_wait_share > off_cpu_share / 2:
        return "waiting for a core: the machine is busy"
    stdlib_wait = ""
    while node != ROOT:
        frame = tree.frame(node)
        if not is_stdlib(frame.file):
            break
        package = package_of(frame.module)
        if package == "asyncio" or not stdlib_wait:  # the innermost says most, but for the loop
            stdlib_wait = STDLIB_WAITS.get(package, stdlib_wait)
        node = tree.parent(node)
    frame = tree.frame(node)
    installed = "/site-packages/" in frame.file or "/dist-packages/" in frame.file
    if node != ROOT and installed:
        package = package_of(frame.module)
        return f"waiting in {package}{_threads(busy_native)}"
    if stdlib_wait:
        return stdlib_wait
    if busy_native:
        return f"waiting in native code{_threads(busy_native)}"
    return "waiting (sleep, I/O or native code)"


def _threads(count: int) -> str:
    if not count:
        return ""
    return f" ({count} native thread{'s' if count > 1 else ''} busy)"
