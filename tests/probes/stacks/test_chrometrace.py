from __future__ import annotations

import json
from typing import Any

from perftui.probes.spine.calltree import MAX_DEPTH, CallTree
from perftui.probes.stacks.chrometrace import SeenStack, parse_trace

MAIN = "thread (4657): MainThread"


def event(phase: str, ts: int, name: str, line: int = 1, tid: int = 7, **extra: Any) -> Any:
    file = "" if name.startswith("thread (") else extra.pop("file", "/app/main.py")
    return {
        "args": {"filename": file, "line": 0 if file == "" else line},
        "cat": "py-spy",
        "name": name,
        "ph": phase,
        "pid": 1,
        "tid": tid,
        "ts": ts,
    }


def encode(*events: Any) -> bytes:
    return json.dumps(events, separators=(",", ":")).encode()


def names(tree: CallTree, interval: SeenStack) -> list[str]:
    return [tree.frame(tree.intern([frame])).function for frame in interval.frames]


def spans(intervals: list[SeenStack]) -> list[tuple[int, int]]:
    return [(interval.t0_ns // 1000, interval.t1_ns // 1000) for interval in intervals]


def simple() -> bytes:
    return encode(
        event("B", 100, MAIN),
        event("B", 100, "<module>"),
        event("B", 100, "work", 5),
        event("E", 300, "work", 5),
        event("B", 300, "rest", 9),
        event("E", 700, "rest", 9),
        event("E", 700, "<module>"),
        event("E", 700, MAIN),
    )


def test_a_change_of_frames_ends_one_interval_and_begins_the_next() -> None:
    tree = CallTree()
    trace = parse_trace(simple(), tree, origin_ns=1_000_000)
    assert spans(trace.intervals) == [(1100, 1300), (1300, 1700)]
    assert [names(tree, each) for each in trace.intervals] == [
        ["<module>", "work"],
        ["<module>", "rest"],
    ]
    assert {(each.tid, each.name) for each in trace.intervals} == {(4657, "MainThread")}
    assert (trace.t0_ns, trace.t1_ns) == (1_100_000, 1_700_000)
    assert (trace.truncated, trace.bad_events) == (False, 0)


def test_lines_and_files_are_kept() -> None:
    tree = CallTree()
    leaf = parse_trace(simple(), tree, 0).intervals[0].frames[-1]
    frame = tree.frame(tree.intern([leaf]))
    assert (frame.function, frame.file, frame.line, frame.module) == (
        "work",
        "/app/main.py",
        5,
        "main",
    )


def test_clip_cuts_intervals_and_leaves_out_what_is_beyond() -> None:
    trace = parse_trace(simple(), CallTree(), 0, clip0_ns=350_000, clip1_ns=600_000)
    assert spans(trace.intervals) == [(350, 600)]
    assert parse_trace(simple(), CallTree(), 0, clip0_ns=800_000).intervals == []


def test_recursion_is_kept_frame_by_frame() -> None:
    begin = [event("B", 10, "recur", 3) for _ in range(4)]
    end = [event("E", 30, "recur", 3) for _ in range(4)]
    tree = CallTree()
    trace = parse_trace(
        encode(
            event("B", 10, MAIN),
            *begin,
            event("E", 20, "recur", 3),
            event("B", 20, "recur", 4),
            *end,
            event("E", 30, MAIN),
        ),
        tree,
        0,
    )
    assert [len(each.frames) for each in trace.intervals] == [4, 4]
    assert trace.intervals[0].frames != trace.intervals[1].frames


def test_equal_stacks_in_a_row_are_one_interval() -> None:
    trace = parse_trace(
        encode(
            event("B", 10, MAIN),
            event("B", 10, "work"),
            event("E", 20, "work"),
            event("B", 20, "work"),
            event("E", 50, "work"),
            event("E", 50, MAIN),
        ),
        CallTree(),
        0,
    )
    assert spans(trace.intervals) == [(10, 50)]


def test_threads_are_told_apart_by_their_os_number() -> None:
    other = "thread (4700): worker: a (b)"
    trace = parse_trace(
        encode(
            event("B", 10, MAIN),
            event("B", 10, "work"),
            event("B", 12, other, tid=8),
            event("B", 12, "Thread._bootstrap", tid=8),
            event("E", 50, "work"),
            event("E", 50, MAIN),
            event("E", 51, "Thread._bootstrap", tid=8),
            event("E", 51, other, tid=8),
        ),
        CallTree(),
        0,
    )
    assert {(each.tid, each.name, *spans([each])[0]) for each in trace.intervals} == {
        (4657, "MainThread", 10, 50),
        (4700, "worker: a (b)", 12, 51),
    }


def test_a_reused_pthread_identity_is_a_new_thread() -> None:
    trace = parse_trace(
        encode(
            event("B", 10, "thread (5): a"),
            event("B", 10, "work"),
            event("E", 20, "work"),
            event("E", 20, "thread (5): a"),
            event("B", 20, "thread (6): a"),
            event("B", 20, "work"),
            event("E", 30, "work"),
            event("E", 30, "thread (6): a"),
        ),
        CallTree(),
        0,
    )
    assert [(each.tid, *spans([each])[0]) for each in trace.intervals] == [(5, 10, 20), (6, 20, 30)]


def test_threads_without_a_name_or_an_os_number() -> None:
    trace = parse_trace(
        encode(event("B", 1, "thread (0x7F00)"), event("B", 1, "f"), event("E", 9, "f")),
        CallTree(),
        0,
    )
    assert [(each.tid, each.name) for each in trace.intervals] == [(0x7F00, "")]


def test_a_thread_without_python_frames_is_shown_as_such() -> None:
    tree = CallTree()
    trace = parse_trace(encode(event("B", 1, MAIN), event("E", 9, MAIN)), tree, 0)
    assert names(tree, trace.intervals[0]) == ["<no Python frame>"]


def test_a_broken_off_array_gives_all_that_is_whole() -> None:
    whole = simple()
    everything = parse_trace(whole, CallTree(), 0)
    for length in range(len(whole) - 1):
        trace = parse_trace(whole[:length], CallTree(), 0)
        assert trace.truncated
        assert trace.bad_events == 0
        assert spans(trace.intervals) == spans(everything.intervals)[: len(trace.intervals)]
    most = parse_trace(whole[: whole.rfind(b"{")], CallTree(), 0)
    assert spans(most.intervals) == [(100, 300), (300, 700)]


def test_what_fits_nothing_is_counted() -> None:
    trace = parse_trace(
        encode(
            event("E", 5, "work"),
            event("B", 10, MAIN),
            {"ph": "B"},
            event("B", 10, "work"),
            event("X", 20, "work"),
            event("E", 30, "work"),
            event("E", 30, MAIN),
        ),
        CallTree(),
        0,
    )
    assert trace.bad_events == 3
    assert sum(t1 - t0 for t0, t1 in spans(trace.intervals)) == 20
    for rubbish in (b"", b"null", b"[]x", b"\xff\xfe", b"{}"):
        assert parse_trace(rubbish, CallTree(), 0).truncated
    assert parse_trace(b"[]\n", CallTree(), 0) == ([], 0, 0, False, 0)


def test_very_deep_stacks_lose_their_middle() -> None:
    deep = [event("B", 10, f"f{depth}") for depth in range(MAX_DEPTH + 200)]
    tree = CallTree()
    trace = parse_trace(encode(event("B", 10, MAIN), *deep, event("E", 20, "f")), tree, 0)
    shown = names(tree, trace.intervals[0])
    assert len(shown) == MAX_DEPTH
    assert (shown[0], shown[-1]) == ("f0", f"f{MAX_DEPTH + 199}")
    assert shown.count("…") == 1
    gap = tree.frame(tree.intern([trace.intervals[0].frames[shown.index("…")]]))
    assert gap.kind == "elided"


def test_native_frames_are_marked() -> None:
    tree = CallTree()
    trace = parse_trace(
        encode(
            event("B", 1, MAIN),
            event("B", 1, "clock_nanosleep", 0, file="/lib/libc.so.6"),
            event("E", 9, "clock_nanosleep"),
        ),
        tree,
        0,
    )
    assert tree.frame(tree.intern(trace.intervals[0].frames)).kind == "native"
