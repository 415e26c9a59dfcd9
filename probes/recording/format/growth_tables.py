"""The tables of who makes memory grow, as the agent finds it by looks from inside."""

from __future__ import annotations

from perftui.probes.recording.format.columns import PID, SEQ, T_NS, TableSpec
from perftui.probes.recording.format.columns import text as _s
from perftui.probes.recording.format.columns import truth as _b
from perftui.probes.recording.format.columns import whole as _i

GROWTH = (
    TableSpec(
        "growth_looks",
        "looks from inside at who makes memory grow, and how they went",
        (
            SEQ,
            T_NS,
            PID,
            _i("t0_ns", "it began; its answers are of [t0, t)"),
            _s("method", "census: what holds more; entry and exit: in which function it rose"),
            _i("rose_bytes", "RSS of the process meanwhile", nullable=True),
            _i("looked", "objects of the later census, or calls"),
            _i("cpu_ns"),
            _i("longest_ns", "for which it held the GIL at once"),
            _s("note", "what keeps the answers from being whole"),
            _i("told", "answers: rows of keepers or rises with this t_ns"),
        ),
        time="t_ns",
    ),
    TableSpec(
        "keepers",
        "what has a name and holds more than before",
        (
            SEQ,
            T_NS,
            PID,
            _i("t0_ns"),
            _s("what", "the path that holds it"),
            _s("container", "its type"),
            _s("element", "type of what is new in it"),
            _i("entries", "that came"),
            _i("total", "entries"),
            _i("bytes", "that came: an estimate by the newest entries"),
            _b("sampled", "some of many alike were looked at"),
            _s("fills", "code that can fill it: function, file, line with tabs between"),
        ),
        time="t_ns",
    ),
    TableSpec(
        "rises",
        "in which function memory rose, by entry and exit",
        (
            SEQ,
            T_NS,
            PID,
            _i("t0_ns"),
            _s("function", "empty: all code that was not measured"),
            _s("file"),
            _i("line"),
            _i("calls"),
            _i("rss_bytes", "net, of the process"),
            _i("touched_bytes", "page faults of the thread"),
        ),
        time="t_ns",
    ),
)
