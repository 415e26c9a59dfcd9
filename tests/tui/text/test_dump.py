"""The text of `perftui dump`: threads that stand alike together, nothing hostile or endless."""

from __future__ import annotations

from typing import Any

from perftui.probes.dump.moment import FrameNow, Moment, ProcessNow, TaskNow, ThreadNow
from perftui.tui.text.dump import dump_text

WAIT = (
    FrameNow("Condition.wait", "/usr/lib/python3.11/threading.py", 327),
    FrameNow("serve", "/srv/app.py", 12),
)


def _process(pid: int) -> ProcessNow:
    return ProcessNow(pid, 1, "python app.py", 2e6, 1e6, None, 0.0, 3e6, 50.0)


def _thread(tid: int, name: str, doing: str | None, stack: tuple[FrameNow, ...]) -> ThreadNow:
    return ThreadNow(7, tid, name, bool(stack), doing, 10.0, None, stack)


def _moment(**changes: Any) -> Moment:
    moment = Moment(
        at="2026-01-01T03:00:00+00:00",
        title="python app.py",
        python="3.14.2",
        stacks_by="own sampler",
        watched_s=0.3,
        processes=(_process(7),),
        threads=(),
        tasks=(),
        notes=(),
    )
    return moment._replace(**changes)


def test_threads_that_stand_alike_are_told_once() -> None:
    threads = tuple(_thread(10 + n, f"worker-{n}", "lock", WAIT) for n in range(118))
    text = dump_text(_moment(threads=(_thread(7, "MainThread", "CPU", WAIT[1:]), *threads)))
    lines = text.splitlines()
    assert lines[1] == (
        "2026-01-01T03:00:00+00:00  Python 3.14.2 · stacks by own sampler · watched for 300 ms"
    )
    assert lines[3] == "process 7  RSS 2.00 MB · PSS 1.00 MB · peak RSS 3.00 MB · CPU 50 %"
    assert "MainThread (7)  works · CPU 10 %" in lines
    workers = next(line for line in lines if line.startswith("worker-0 (10), worker-1 (11), "))
    assert workers.endswith("and 114 more  waits: lock · CPU 1180 %")
    assert text.count("Condition.wait  threading:327") == 1
    assert "    serve           app.py:12" in lines


def test_a_deep_stack_a_large_family_and_hostile_names_stay_readable() -> None:
    deep = tuple(FrameNow(f"down_{n}", "/srv/app.py", n) for n in range(3000))
    text = dump_text(
        _moment(
            threads=(_thread(7, "\x1b[2Jevil\n", "I/O", deep),),
            processes=tuple(_process(7 + n) for n in range(500)),
            notes=("no\x1b[31m colour",),
        )
    )
    assert "… 2940 more" in text
    assert "… 460 more processes" in text
    assert "\x1b" not in text
    assert len(text.splitlines()) < 150


def test_tasks_say_who_waits_for_them() -> None:
    task = TaskNow(7, "fetch-0", (FrameNow("fetch", "/srv/app.py", 10),), ("Task-1",))
    lines = dump_text(_moment(tasks=(task,))).splitlines()
    assert lines[-3:] == [
        "asyncio, 1 task",
        "  fetch-0  awaited by Task-1",
        "      fetch  app.py:10",
    ]
    assert not any("asyncio" in line for line in dump_text(_moment()).splitlines())
