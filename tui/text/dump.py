"""What `perftui dump` prints: processes, threads that stand alike together, tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.place import name_in_words, place_of
from perftui.probes.spine.calltree import module_of
from perftui.probes.text.harmless import clean
from perftui.probes.text.units import format_bytes, format_seconds
from perftui.tui.text.fit import shorten_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perftui.probes.dump.moment import FrameNow, Moment, ProcessNow, TaskNow, ThreadNow

_NAMES = 4
"""Threads of a group that are named."""
_PROCESSES = 40
"""That are shown; the JSON has all."""
_TITLE_CELLS = 100
_FRAMES = 60
"""Of a stack; half of them from each end of a longer one."""
_WORTH_SAYING_PERCENT = 1.0


def dump_text(moment: Moment) -> str:
    """Return the moment as text for a person; secrets and terminal escapes are taken out."""
    about = [
        *([f"Python {moment.python}"] if moment.python else []),
        f"stacks by {moment.stacks_by}" if moment.stacks_by else "no stacks",
        f"watched for {format_seconds(moment.watched_s)}",
    ]
    lines = [clean(moment.title), f"{moment.at}  {' · '.join(about)}", ""]
    several = len(moment.processes) > 1
    lines += [_process(process, named=several) for process in moment.processes[:_PROCESSES]]
    if len(moment.processes) > _PROCESSES:
        lines.append(f"… {len(moment.processes) - _PROCESSES} more processes")
    shown = {process.pid for process in moment.processes[:_PROCESSES]}
    for group in _alike([thread for thread in moment.threads if thread.pid in shown]):
        lines += ["", *_group(group, several=several)]
    if count := len(moment.tasks or ()):
        lines += ["", f"asyncio, {count} {'task' if count == 1 else 'tasks'}"]
        for task in moment.tasks or ():
            lines += _task(task)
    lines += ["", *(f"! {clean(note)}" for note in moment.notes)] if moment.notes else []
    return "\n".join(lines)


def _process(process: ProcessNow, *, named: bool) -> str:
    sizes = (
        ("RSS", process.rss_bytes),
        ("PSS", process.pss_bytes),
        ("private", process.uss_bytes),
        ("swapped", process.swap_bytes or None),
        ("peak RSS", process.peak_rss_bytes),
    )
    told = [f"{name} {format_bytes(size)}" for name, size in sizes if size is not None]
    if process.cpu_percent is not None:
        told.append(f"CPU {process.cpu_percent:.0f} %")
    title = f"  {shorten_end(clean(process.title), _TITLE_CELLS)}" if named else ""
    return f"process {process.pid}  {' · '.join(told)}{title}"


def _alike(threads: Sequence[ThreadNow]) -> list[list[ThreadNow]]:
    """Return threads of a process that do the same in the same place together, in order."""
    groups: dict[tuple[object, ...], list[ThreadNow]] = {}
    for thread in threads:
        key = (thread.pid, thread.is_python, thread.doing, thread.stack)
        groups.setdefault(key, []).append(thread)
    return list(groups.values())


def _group(group: Sequence[ThreadNow], *, several: bool) -> Iterator[str]:
    first = group[0]
    names = ", ".join(f"{clean(thread.name)} ({thread.tid})" for thread in group[:_NAMES])
    if len(group) > _NAMES:
        names += f" and {len(group) - _NAMES} more"
    percent = sum(thread.cpu_percent for thread in group)
    told = [f"process {first.pid}"] if several else []
    if not first.is_python:
        told.append("native")
    if first.doing == "CPU":
        told.append("works")
    elif first.doing is not None:
        told.append(f"waits: {first.doing}")
    if percent >= _WORTH_SAYING_PERCENT:
        told.append(f"CPU {percent:.0f} %")
    if (first.gil_held_percent or 0) >= _WORTH_SAYING_PERCENT and len(group) == 1:
        told.append(f"holds the GIL {first.gil_held_percent:.0f} %")
    yield f"{names}  {' · '.join(told)}".rstrip()
    yield from _frames(first.stack)
    if first.is_python and not first.stack:
        yield "    (no stack could be read)"


def _frames(stack: Sequence[FrameNow]) -> Iterator[str]:
    rows = [
        (
            clean(name_in_words(p.function, p.file)),
            clean(place_of(module_of(p.file), p.file, p.line)),
        )
        for p in stack
    ]
    left_out = len(rows) - _FRAMES
    width = max((len(name) for name, _place in rows), default=0)
    for number, (name, place) in enumerate(rows):
        if left_out > 0 and number == _FRAMES // 2:
            yield f"    … {left_out} more"
        if left_out <= 0 or number < _FRAMES // 2 or number >= _FRAMES // 2 + left_out:
            yield f"    {name:<{min(width, 50)}}  {place}"


def _task(task: TaskNow) -> Iterator[str]:
    by = ", ".join(clean(name) for name in task.awaited_by)
    yield f"  {clean(task.name)}" + (f"  awaited by {by}" if by else "")
    yield from ("  " + row for row in _frames(task.stack))
