"""Makes the card of a spike: asks the reader what ran and what went on in its span."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.code import dominant_code
from perftui.probes.detect.spikes.spike import Spike, SpikeCode
from perftui.probes.profile.sums import busy
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from perftui.probes.detect.spikes.spike import SpikeKind
    from perftui.probes.profile.difference import Delta, FunctionDiff
    from perftui.probes.spine.reader import Import, Reader, ThreadTree

LEAST_BEFORE_NS = NS_PER_S // 4
"""Less time than this before a spike says nothing about how things were."""
MOST_BEFORE_NS = 10 * NS_PER_S
MOST_RAN = 5
COVERS = 0.25
"""An import or call that covers this part of a spike is named."""
_CALL_ENDS_NS = 2 * NS_PER_S
"""A first call may go on for so long after its jump, and is still known when the card is made:
memory is at its highest before what fetched it has put it in order."""
_BUCKET_NS = NS_PER_S // 20


class SpikeStretch(NamedTuple):
    """A stretch that is a spike."""

    kind: SpikeKind
    t0_ns: int
    t1_ns: int
    call: str = ""
    """The first call that it is."""


def make_card(reader: Reader, found: SpikeStretch, start_ns: int) -> Spike:
    """Return the card of a stretch; `start_ns` is the start of the session."""
    t0, t1 = found.t0_ns, found.t1_ns
    before_ns = min(max(t1 - t0, NS_PER_S), MOST_BEFORE_NS, t0 - start_ns)
    if before_ns < LEAST_BEFORE_NS:
        before_ns = 0
    threads = reader.call_tree(t0, t1)
    earlier = reader.call_tree(t0 - before_ns, t0) if before_ns else ()
    rss = reader.metric("rss_bytes", t0, t1 + _BUCKET_NS, _buckets(t0, t1 + _BUCKET_NS))
    sizes = [value for value in rss.last if value is not None]
    earlier_rss = reader.metric("rss_bytes", t0 - _BUCKET_NS, t0 + 1, 1).last[0]
    low = earlier_rss if earlier_rss is not None else sizes[0] if sizes else None
    top = max(sizes) if sizes else None
    grew = dominant_code(reader.tree, threads, "grown")
    risen = low is not None and top is not None and top - low >= 1e6
    call, first_call = _call(reader, found, start_ns)
    return Spike(
        found.kind,
        t0,
        t1,
        None if low is None else round(low),
        None if top is None else round(top),
        mean_cpu(reader, t0 - before_ns, t0) if before_ns else None,
        mean_cpu(reader, t0, t1),
        _phase(reader, t0, t1),
        _import(reader.imports(t0, t1), t0, t1),
        call,
        first_call,
        before_ns,
        _ran(reader, earlier, threads, before_ns, t1 - t0),
        str(grew) if grew is not None and risen else "",
        any(thread.wall_ns > 0 for thread in threads),
    )


def mean_cpu(reader: Reader, t0_ns: int, t1_ns: int) -> float | None:
    """Return the mean CPU per cent of a range, None where nothing was measured."""
    values = reader.metric("cpu_percent", t0_ns, t1_ns, _buckets(t0_ns, t1_ns)).last
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _buckets(t0_ns: int, t1_ns: int) -> int:
    return min(max((t1_ns - t0_ns) // _BUCKET_NS, 1), 1200)


def _phase(reader: Reader, t0_ns: int, t1_ns: int) -> str:
    """Return the phase that most of the stretch was in, the innermost of several."""
    best = max(
        reader.phases(t0_ns, t1_ns),
        key=lambda p: (_overlap(p.t0_ns, p.t1_ns or t1_ns, t0_ns, t1_ns), p.depth),
        default=None,
    )
    return "" if best is None else best.name


def _import(rows: tuple[Import, ...], t0_ns: int, t1_ns: int) -> str:
    """Return the outermost import that covers a good part of the stretch."""
    best = max(
        outermost(rows),
        key=lambda row: _overlap(row.t0_ns, row.t0_ns + row.total_ns, t0_ns, t1_ns),
        default=None,
    )
    if best is None:
        return ""
    covered = _overlap(best.t0_ns, best.t0_ns + best.total_ns, t0_ns, t1_ns)
    return best.module if covered >= COVERS * (t1_ns - t0_ns) else ""


def outermost(rows: tuple[Import, ...]) -> list[Import]:
    """Return the imports that no other of these holds."""
    known = {(row.pid, row.id) for row in rows}
    return [row for row in rows if (row.pid, row.parent_id) not in known]


def _call(reader: Reader, found: SpikeStretch, start_ns: int) -> tuple[str, bool]:
    """Return the timed call that covers most of the stretch, and whether it was the first of
    its name. Of later calls only those that end the stretch are known."""
    if found.call:
        return found.call, True
    t0, t1 = found.t0_ns, found.t1_ns
    least = COVERS * (t1 - t0)
    until_ns = t1 + NS_PER_S // 4
    covers = {
        name: _overlap(begin, end, t0, t1)
        for name, begin, end in first_calls(reader, start_ns, t1 + _CALL_ENDS_NS)
    }
    first = max(covers, key=lambda name: covers[name], default="")
    if first and covers[first] >= least:
        return first, True
    last = max(reader.calls(t0, until_ns), key=lambda row: row.last_ns, default=None)
    return ("", False) if last is None or last.last_ns < least else (last.name, False)


def first_calls(reader: Reader, t0_ns: int, t1_ns: int) -> list[tuple[str, int, int]]:
    """Return (name, begin, end) of the calls of a range that were the first of their name."""
    events = [event for event in reader.events(t0_ns, t1_ns) if event.kind == "call"]
    took_ns = {row.name: row.first_ns for row in reader.calls(t0_ns, t1_ns)} if events else {}
    return [
        (event.call, event.t_ns, event.t_ns + took_ns[event.call])
        for event in events
        if event.call in took_ns
    ]


def _overlap(a0: int, a1: int, b0: int, b1: int) -> int:
    return max(min(a1, b1) - max(a0, b0), 0)


def _ran(
    reader: Reader,
    before: tuple[ThreadTree, ...],
    during: tuple[ThreadTree, ...],
    before_ns: int,
    during_ns: int,
) -> tuple[SpikeCode, ...]:
    """Return what ran then and not before; lines, if no function; else what rose most, or ran
    as before."""
    from perftui.probes.profile.difference import ComparedStacks, difference  # few have spikes

    keys = {(s.pid, s.tid) for side in (before, during) for s in busy(side)}
    old, new = ([s for s in side if (s.pid, s.tid) in keys] for side in (before, during))
    sides = ComparedStacks(reader.tree, old, before_ns), ComparedStacks(reader.tree, new, during_ns)
    found = difference(*sides)
    for each in (found, difference(*sides, by_line=True)):
        told = each.only_now("wall", most=MOST_RAN)
        if told:
            return tuple(_code(row, delta) for row, delta in told)
    ranked = found.ranked("wall")
    risen = [(row, total) for row, own, total in ranked if own.share > 0]
    if not risen:  # the same code in the same shares: that it went on is what there is to tell
        still = [each for each in ranked if each[1].new_share > 0]
        still.sort(key=lambda each: -each[1].new_share)
        risen = [(row, total) for row, _, total in still]
    return tuple(_code(row, delta) for row, delta in risen[:MOST_RAN])


def _code(row: FunctionDiff, total: Delta) -> SpikeCode:
    return SpikeCode(
        row.function, row.file, row.line, row.module,
        total.new_share, total.base_share, total.state,
    )  # fmt: skip
