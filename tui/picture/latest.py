"""The figures beside the timelines: each metric as it is now, or was at the cursor.

Most are read 20 times a second, some the less often the larger the target is. What is shown side
by side must be of one moment: a part of RSS that was read before RSS rose or fell is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.answers.holding import PART_NS, is_untold
from perftui.probes.spine.derived import POOL_HOLD_NS
from perftui.probes.spine.reader import TREE
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.reader import Reader, Status

_OF_RSS = ("anon_rss_bytes", "pss_bytes", "uss_bytes")
_SELDOM_OF_RSS = ("pss_bytes", "uss_bytes")
_WHOLE = 1.02
"""Parts sum to RSS within so much."""
_MOVED = 1.1
"""By how much RSS may be another one since a part of it was read."""
_ENDS_NS = 3 * NS_PER_S
"""In which a program ends that frees what it has, at the longest."""
_STEPS = 60
"""In which it is looked up when that was."""
_RARE = frozenset(["pss_bytes", "uss_bytes", "swap_bytes"])
"""Read the less often the larger the target is: the newest may be too old to be shown."""
_TOLD_LATELY = {"pool:": POOL_HOLD_NS, "part:": PART_NS}
"""The same by the beginning of the name: how old the newest may be."""
_LOOK_BACK_NS = (NS_PER_S // 4, NS_PER_S, 10 * NS_PER_S, 60 * NS_PER_S)
"""How old a value may be at the cursor: most come 20 times a second, a few every ten seconds.
Short first: a recording answers for long stretches in coarse steps, which reach beyond the end."""


def latest_values(
    reader: Reader, names: tuple[str, ...], at: int | None, status: Status, pid: int
) -> dict[str, float]:
    """Return what is known of a moment, by name of the metric.

    Args:
        reader: The session.
        names: Of its metrics.
        at: The moment, None for the newest.
        status: Of the session.
        pid: Of whom, counters and rates aside.
    """
    values = _values(reader, names, at, status, pid)
    living = _last_of_the_living(reader, status, pid) if at is None else None
    if living is not None:
        values |= _values(reader, tuple(filter(_is_memory, names)), living, status, pid)
        at = living
    heard = [name.removeprefix("pool:") for name in values if name.startswith("pool:")]
    for name in [name for name, value in values.items() if not value and name[:5] == "part:"]:
        if is_untold(name[5:], heard):
            del values[name]
    rss = values.get("rss_bytes")
    for name in _SELDOM_OF_RSS:
        if rss is not None and name in values:
            moment = status.t_end_ns if at is None else at
            if _has_moved(reader, name, moment, status.t_start_ns, pid, rss):
                del values[name]
    return of_one_moment(values)


def _values(
    reader: Reader, names: tuple[str, ...], at: int | None, status: Status, pid: int
) -> dict[str, float]:
    """Return the values at a moment, by name; names without one are left out. Counters are
    always of the whole tree."""
    values: dict[str, float] = {}
    for name in names:
        owner = TREE if name.startswith(("count:", "rate:")) else pid
        if at is None:
            value = _newest(reader, name, owner, status.t_end_ns)
        else:
            value = _held_at(reader, name, owner, at, status.t_start_ns)
        if value is not None:
            values[name] = value
    return values


def _oldest_ns(name: str) -> int:
    """Return how old a value may be that is shown as that of a moment."""
    return min(_LOOK_BACK_NS[-1], _TOLD_LATELY.get(name[:5], _LOOK_BACK_NS[-1]))


def _newest(reader: Reader, name: str, pid: int, now_ns: int) -> float | None:
    """Return the newest value; None if it is one that is read seldom, and too old."""
    if name in _RARE or name[:5] in _TOLD_LATELY:
        read_ns = reader.last_read_ns(name, pid)
        if read_ns is None or read_ns < now_ns - _oldest_ns(name):
            return None
    return reader.last(name, pid)


def _held_at(reader: Reader, name: str, pid: int, at: int, start_ns: int) -> float | None:
    """Return the value at the cursor, None if there was none lately."""
    for back_ns in _LOOK_BACK_NS:
        t0 = max(at - min(back_ns, _oldest_ns(name)), start_ns)
        value = reader.metric(name, t0, max(at, t0) + 1, 1, pid).last[0]
        if value is not None:
            return value
    return None


def _is_memory(name: str) -> bool:
    return name in (*_OF_RSS, "rss_bytes", "swap_bytes") or name.startswith(("pool:", "part:"))


def _last_of_the_living(reader: Reader, status: Status, pid: int) -> int | None:
    """Return when a target that has ended had its memory read as a whole, if it gave memory back
    after that, right before its end; None if there is no such moment."""
    if status.state != "exited" and status.exit_code is None and status.signal is None:
        return None
    t0, t1 = max(status.t_end_ns - _ENDS_NS, status.t_start_ns), status.t_end_ns + 1
    names = [name for name in reader.metric_names(pid) if name.startswith("part:")]
    read = (_since(reader.metric(name, t0, t1, _STEPS, pid).last) for name in ("pss_bytes", *names))
    last = reader.last("rss_bytes", pid)
    for since in sorted({at for at in read if at}, reverse=True):
        moment = t0 + (t1 - t0) * (since + 1) // _STEPS
        then = reader.metric("rss_bytes", moment - _LOOK_BACK_NS[0], moment, 1, pid).last[0]
        if then is not None and last is not None and then > last * _MOVED:
            return moment
    return None


def _has_moved(reader: Reader, name: str, at: int, start_ns: int, pid: int, rss: float) -> bool:
    """Tell whether RSS is another one by now than when a part of it was read."""
    for back_ns in _LOOK_BACK_NS[1:]:
        t0, t1 = max(at - back_ns, start_ns), max(at, start_ns) + 1
        since = _since(reader.metric(name, t0, t1, _STEPS, pid).last)
        if since is None or (since == 0 and t0 > start_ns):
            continue
        step = (t1 - t0) / _STEPS
        begin = t0 + int(since * step)
        then = reader.metric("rss_bytes", begin, begin + max(int(step), 1), 1, pid)
        low, high = then.low[0], then.high[0]
        if low is None or high is None:
            return False
        return rss > low * _MOVED or high > rss * _MOVED
    return False


def _since(known: Sequence[float | None]) -> int | None:
    """Return since which of some steps the last value stands; None if there is none."""
    told = [(index, value) for index, value in enumerate(known) if value is not None]
    if not told:
        return None
    since, newest = told[-1]
    for index, value in reversed(told):
        if value != newest:
            break
        since = index
    return since


def of_one_moment(values: dict[str, float]) -> dict[str, float]:
    """Leave out what RSS cannot be made of: it was read before RSS moved, and more seldom."""
    rss = values.get("rss_bytes")
    if rss is None:
        return values
    parts = {name for name in values if name.startswith("part:")}
    whole = sum(values[name] for name in parts)  # RSS when they were read
    if rss / _MOVED <= whole <= rss * _WHOLE:
        parts = set()
    stale = parts | {name for name in _OF_RSS if values.get(name, 0.0) > rss * _WHOLE}
    known = {name: value for name, value in values.items() if name not in stale}
    most = rss
    for name in _OF_RSS:  # each is part of the one before
        if name in known:
            known[name] = min(known[name], most)
            most = known[name] if name == "pss_bytes" else most
    return known
