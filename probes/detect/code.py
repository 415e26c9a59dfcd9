"""Which code ran in the span of an alert, and what it waited for, told from the call tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.detect.evidence.observations import Waiting
from perftui.probes.profile.memory.growth import NATIVE, UNSURE_SHARE, is_own
from perftui.probes.profile.place import in_words, name_in_words
from perftui.probes.profile.whose import starts_worker, whose
from perftui.probes.spine.calltree import ROOT, is_stdlib, package_of
from perftui.probes.text.source_lines import SOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.reader import ThreadTree, Weights

Cause = Literal["lock", "io", "other", "idle"]
Weight = Literal["grown", "wall", "cpu"]

WEIGHT_OF: dict[str, Weight] = {
    "mem_growth": "grown",
    "streaming_violation": "grown",
    "oom_risk": "grown",
    "io_wait": "wall",
    "lock_wait": "wall",
}
"""By kind of alert: what makes code the code of its span; CPU for the others."""

LEAST_OF: dict[str, float] = {"gc_pressure": 0.5}
"""By kind of alert: the share of the span below which no code is named. The collector runs in one
thread, and no sample says in which."""

SAYS_ITS_CODE = ("loop_blocked", "straggler", "lone_growth", "memory_skew")
"""Kinds of alert whose own words name the code, or the process: what ran in all of them in that
time may be of others."""

_LOCK_LINE = re.compile(r"\.acquire\(|\bwith\b.*(lock|mutex|semaphore|cond)", re.IGNORECASE)
_IO_LINE = re.compile(
    r"\b(read|readline|readlines|readinto|recv|recv_into|recvfrom|write|send|sendall|flush|fsync|"
    r"open|urlopen|request|get|post|fetch\w*|execute|select|poll|connect|accept)\("
)
_IO_LIBRARIES = ("socket", "ssl", "selectors", "subprocess", "http", "urllib")
_FOR_OTHERS = {
    "threading": {"join", "_wait_for_tstate_lock", "_shutdown", "run"},
    "concurrent": {"result", "wait", "as_completed", "shutdown", "_worker"},
    "multiprocessing": {"join", "wait", "worker", "get"},
    "queue": {"get", "put"},
    "asyncio": {"run_forever", "_run_once"},
}
"""Waiting for another thread that does the work: says nothing about why that one stands."""


class CodeSpot(NamedTuple):
    """Where a span was spent."""

    function: str
    file: str
    line: int
    share: float
    """Of the span's weight, 0..1."""

    def __str__(self) -> str:
        place = f"{self.file.rpartition('/')[2]}:{self.line}" if self.line else self.file
        function = name_in_words(self.function, self.file)
        return f"{function}{place and ' ' + place} ({self.share:.0%})"


def dominant_code(tree: CallTree, threads: Sequence[ThreadTree], weight: Weight) -> CodeSpot | None:
    """Return the program's own function with the largest share, libraries below it included."""
    totals: dict[int, float] = {}
    whole = 0.0
    for thread in threads:
        for node, weights in thread.self_by_node.items():
            size = _size(weights, weight)
            if size <= 0 or node == ROOT:
                continue
            whole += size
            place = _own_frame(tree, node)
            totals[place] = totals.get(place, 0.0) + size
    if not totals:
        return None
    # What no line of the program leads to is named only where there is nothing else.
    own = {node: size for node, size in totals.items() if whose(tree.frame(node)) == "yours"}
    totals = own or totals
    by_function: dict[tuple[str, str], float] = {}
    best_node: dict[tuple[str, str], tuple[float, int]] = {}
    for node, size in totals.items():
        frame = tree.frame(node)
        key = (frame.function, frame.file)
        by_function[key] = by_function.get(key, 0.0) + size
        best_node[key] = max(best_node.get(key, (0.0, 0)), (size, node))
    key = max(by_function, key=lambda each: by_function[each])
    frame = tree.frame(best_node[key][1])
    return CodeSpot(frame.function, frame.file, frame.line, by_function[key] / whole)


def code_words(
    tree: CallTree, threads: Sequence[ThreadTree], weight: Weight, least: float = 0.0
) -> str:
    """Say which code a span was spent in, "" if no stack was taken.

    Of what native threads of a library did, the program's own place that waited comes first.

    Args:
        tree: The call tree of the session.
        threads: The stacks of the span.
        weight: What makes code the code of the span.
        least: Share below which none is named.
    """
    spot = dominant_code(tree, threads, weight)
    if spot is not None and spot.share < least:
        return ""
    if spot is None and weight == "grown":
        spot = dominant_code(tree, threads, "cpu")
    if spot is None:
        return ""
    if spot.function.startswith(NATIVE):
        waits = _own_waiting(tree, threads)
        if waits is not None:
            return f"code: {in_words(waits.function, waits.file, waits.line)} waits for {spot}"
    if weight == "grown" and _is_unsure(tree, threads, spot):
        return f"code: {spot}, or what runs beside it: no sample tells"
    return f"code: {spot}"


def _is_unsure(tree: CallTree, threads: Sequence[ThreadTree], spot: CodeSpot) -> bool:
    """Tell whether too little of what a function is given was met: then it may be another's."""
    touched = unsure = 0
    for thread in threads:
        for node, weights in thread.self_by_node.items():
            frame = tree.frame(_own_frame(tree, node))
            if (frame.function, frame.file) == (spot.function, spot.file):
                touched += weights.touched_bytes
                unsure += weights.unsure_bytes
    return unsure > UNSURE_SHARE * touched


def _own_waiting(tree: CallTree, threads: Sequence[ThreadTree]) -> CodeSpot | None:
    """Return the program's own place in which most time went, libraries below it included."""
    totals: dict[int, float] = {}
    for thread in threads:
        for node, weights in thread.self_by_node.items():
            place = _own_frame(tree, node)
            if node != ROOT and weights.wall_ns > 0 and is_own(tree.frame(place)):
                totals[place] = totals.get(place, 0.0) + weights.wall_ns
    if not totals:
        return None
    node = max(totals, key=lambda each: totals[each])
    frame = tree.frame(node)
    return CodeSpot(frame.function, frame.file, frame.line, totals[node] / sum(totals.values()))


def _size(weights: Weights, weight: Weight) -> float:
    if weight == "grown":
        return weights.grown_bytes
    return weights.wall_ns if weight == "wall" else weights.cpu_ns


def _own_frame(tree: CallTree, node: int) -> int:
    """Return the innermost node that is neither library nor interpreter, else the leaf."""
    at = node
    while at != ROOT:
        frame = tree.frame(at)
        if whose(frame) == "yours":
            return at
        if starts_worker(frame):
            break
        at = tree.parent(at)
    return node


def waiting_of(tree: CallTree, threads: Sequence[ThreadTree], t_s: float) -> Waiting | None:
    """Tell what the threads of a span waited for; None if no stack was taken.

    Threads that wait for other threads are passed over as long as any thread does else.
    """
    spans: dict[tuple[Cause, int], int] = {}
    lock_ns = work_ns = n_working = 0
    for thread in threads:
        own_work_ns = 0
        for node, weights in thread.self_by_node.items():
            if node == ROOT:
                continue
            cause = _cause(tree, node)
            if cause != "idle":
                own_work_ns += weights.wall_ns
            off_ns = weights.wall_ns - weights.cpu_ns - weights.torn_ns
            if off_ns > 0:
                if cause == "lock":
                    lock_ns += off_ns
                key = (cause, _own_frame(tree, node))
                spans[key] = spans.get(key, 0) + off_ns
        work_ns += own_work_ns
        n_working += own_work_ns > thread.wall_ns / 2
    busy = {key: size for key, size in spans.items() if key[0] != "idle"} or spans
    whole = sum(busy.values())
    if not whole:
        return None
    causes: dict[Cause, int] = {}
    for (cause, _), size in busy.items():
        causes[cause] = causes.get(cause, 0) + size
    main = max(causes, key=lambda each: causes[each])
    _, node = max((size, node) for (cause, node), size in busy.items() if cause == main)
    frame = tree.frame(node)
    place = in_words(frame.function, frame.file, frame.line)
    word = {"lock": "waiting for a lock in", "io": "in I/O in"}.get(main, "in")
    return Waiting(
        t_s,
        main if main != "idle" else "other",
        causes[main] / whole,
        f"{word} {place}",
        lock_share=lock_ns / work_ns if work_ns else 0.0,
        threads=n_working,
    )


def _cause(tree: CallTree, node: int) -> Cause:
    """Judge a leaf: by the library that waits, else by the words of the line that does."""
    leaf = tree.frame(node)
    at, inside = node, ""
    for _ in range(8):
        frame = tree.frame(at)
        if at == ROOT or not is_stdlib(frame.file):
            break
        package = package_of(frame.module)
        function = frame.function.rpartition(".")[2]
        if function in _FOR_OTHERS.get(package, ()):
            return "idle"
        if package == "threading":
            if function in ("acquire", "__enter__"):
                return "lock"
            inside = package
        elif package in _IO_LIBRARIES:
            return "io"
        at = tree.parent(at)
    if inside:
        return "idle"  # an event or a condition: it waits for something to do
    line = SOURCE.line(leaf.file, leaf.line)
    if _LOCK_LINE.search(line):
        return "lock"
    return "io" if _IO_LINE.search(line) else "other"
