"""Why it was big: growth and what keeps it, peaks, the memory limit, what is freed but kept."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from perftui.probes.profile.memory.blame import notes_of, rises_of
from perftui.probes.profile.memory.blame_words import UNNAMED
from perftui.probes.profile.memory.growth import CANNOT_TELL, grown_by_function
from perftui.probes.profile.place import listed
from perftui.probes.spine.calltree import ROOT
from perftui.probes.spine.median import median
from perftui.probes.text.units import NS_PER_S, format_bytes, format_count, format_seconds
from perftui.probes.verdict import proof
from perftui.probes.verdict.finding import RankedFinding
from perftui.probes.verdict.places import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perftui.probes.profile.memory.blame import Keeping
    from perftui.probes.spine.reader import ThreadTree
    from perftui.probes.spine.records import Alert
    from perftui.probes.verdict.case import Case
    from perftui.probes.verdict.finding import Tab

LEAST_KEPT_BYTES = 10_000_000
LEAST_KEPT_SHARE = 0.1
"""Of the peak: what is less is no reason why a program is big."""
LEAST_PEAK_BYTES = 100_000_000
PEAK_RATIO = 2.0
LEAST_HELD_SHARE = 0.05
"""Of what RSS rose by: looks are short, but what holds less than this has not made it grow."""
FREED_KEPT = "freed but kept"
LEAST_FREED_SHARE = 0.3
LEAST_FLAT_S, LEAST_FLAT_SHARE = 2.0, 0.25
"""Of the run, at its end: what was filled before is full."""
CLIMB_PARTS, CLIMB_SHARE = 12, 0.7
"""The time up to the top in so many parts, of which this share must rise; and of the whole run that
time must be this share."""
LEAST_LATER = 0.5
"""Of what something holds: RSS that rises by less after it was filled has other reasons."""
GROWTH = ("streaming_violation", "mem_growth")


def in_memory(case: Case) -> Iterator[RankedFinding]:
    """Yield findings about memory."""
    grew = [alert for kind in GROWTH for alert in case.alerts_of(kind)]
    yield from _limit(case)
    growth = list(_growths(case, grew) if grew else _kept(case))
    yield from growth
    if not growth:
        yield from (list(_climb(case)) or _peak(case))
    yield from _freed(case)


def _limit(case: Case) -> Iterator[RankedFinding]:
    for alert in case.alerts_of("oom_risk")[-1:]:
        t0, t1 = case.alert_span(alert)
        grown = _rose(case, t0, t1)
        yield RankedFinding(
            "oom_risk",
            f"met its memory limit: {alert.message}",
            alert.severity,
            2.0 + _share(case, grown),
            t0,
            t1,
            "Memory",
            proof.rss_sql(case.seconds(t0), case.seconds(t1)),
            alert.evidence,
            _by_whom(case, t0, t1)[0],
            bytes=grown,
            next_step="hold less at once, or raise the limit",
        )


def _growths(case: Case, alerts: list[Alert]) -> Iterator[RankedFinding]:
    """One finding for each kind, of the alert in whose span RSS rose most."""
    told = set()
    for kind in GROWTH:
        mine = [alert for alert in alerts if alert.kind == kind]
        if not mine:
            continue
        alert = max(mine, key=lambda each: _rose(case, *case.alert_span(each)) or 0)
        t0, t1 = case.alert_span(alert)
        grown = _rose(case, t0, t1)
        kept = _keeper(case, t0, t1)
        if kept is not None and kept.what in told:
            continue  # one cause: it was found to follow the rows later, or no more
        told.add("" if kept is None else kept.what)
        code, unsure = _by_whom(case, t0, t1, kept)
        size = "memory" if grown is None else format_bytes(grown)
        held = f": {_held(kept)}" if kept is not None else ""
        collects = kind == "streaming_violation"
        text = f"collects {size} with the rows read{held}" if collects else f"keeps {size}{held}"
        if kept is None and not collects:
            text = f"grows by {size} in {format_seconds((t1 - t0) / NS_PER_S)}, not given back"
        yield RankedFinding(
            kind,
            text,
            alert.severity,
            (1.5 if collects else 1.2) + _share(case, grown),
            t0,
            t1,
            "Memory",
            proof.rss_sql(case.seconds(t0), case.seconds(t1)),
            "; ".join(part for part in (alert.message, alert.evidence) if part),
            code,
            bytes=grown,
            may_be_wrong=unsure,
            next_step=_next(case, collects, kept),
        )


def _kept(case: Case) -> Iterator[RankedFinding]:
    """Growth that no alert speaks of: the run was short, or it slows down."""
    kept = case.keepers[0] if case.keepers else None
    least = max(LEAST_KEPT_BYTES, LEAST_KEPT_SHARE * case.peak_bytes)
    if kept is not None and kept.bytes >= least:
        about = "about " if kept.sampled else ""
        took_s = _looked_s(case, kept)
        ended, flat_s = _is_full(case, kept), (case.t1_ns - kept.t1_ns) / NS_PER_S
        size = f"{about}{format_bytes(kept.bytes)}"
        yield RankedFinding(
            "keeps",
            f"holds {size}: {_held(kept)}"
            if ended
            else f"keeps {size} more in {format_seconds(took_s)}: {_held(kept)}",
            "info",
            0.2 * _share(case, kept.bytes) if ended else 0.2 + _share(case, kept.bytes),
            kept.t0_ns,
            kept.t1_ns,
            "Memory",
            proof.keepers_sql(kept.what),
            f"in {format_seconds(took_s)} of looks from inside: {kept.confidence}"
            + (f"; no more in the last {format_seconds(flat_s)}" if ended else ""),
            "" if kept.code is None else str(kept.code),
            bytes=kept.bytes,
            may_be_wrong="it may be meant to be filled",
            next_step=""
            if ended
            else "run it for longer: whether it goes on takes about 15 s to tell",
        )
        return
    if _is_full(case):
        return
    for alert in [a for a in case.alerts if a.kind == "mem_growth"][-1:]:
        t0, t1 = case.alert_span(alert)
        grown = _rose(case, t0, t1)
        if grown is not None and grown >= LEAST_KEPT_BYTES:
            code, unsure = _by_whom(case, t0, t1)
            yield RankedFinding(
                "mem_growth",
                f"grows by {format_bytes(grown)}, slowing down: no ceiling in sight",
                "info",
                0.3 + _share(case, grown),
                t0,
                t1,
                "Memory",
                proof.rss_sql(case.seconds(t0), case.seconds(t1)),
                alert.message,
                code,
                bytes=grown,
                may_be_wrong=unsure or "it may be a cache that fills up",
                next_step="run it for longer, or with --deep for the path that holds it",
            )


def _climb(case: Case) -> Iterator[RankedFinding]:
    """Memory that only rises, to the end or until all is given back: something is put together
    before it is used, and no alert has had the time to tell, or the machine was too busy."""
    levels = [last for _, _, last in case.rss]
    if len(levels) < 2 * CLIMB_PARTS:
        return
    at = _top(case)
    before = levels[: at + 1]
    over = case.peak_bytes - before[0]
    if len(before) < CLIMB_SHARE * len(levels) or over < LEAST_PEAK_BYTES or over < before[0]:
        return
    parts = [before[n * at // CLIMB_PARTS] for n in range(CLIMB_PARTS + 1)]
    up = sum(b - a >= 0.2 * over / CLIMB_PARTS for a, b in pairwise(parts))
    imported = sum(row.rss_bytes or 0 for row in case.imports if row.parent_id is None)
    late = before[-1] - parts[CLIMB_PARTS // 2]
    if up < CLIMB_SHARE * CLIMB_PARTS or late < 0.25 * over or imported > 0.5 * over:
        return  # in jumps, not to the end, or it is what was imported
    t0, t1 = case.rss[0][0], case.rss[at][0]
    took = format_seconds(case.seconds(t1) - case.seconds(t0))
    yield _rise_to_top(
        case,
        (t0, t1),
        over,
        f"puts together {format_bytes(over)} in {took} before it ends",
        0.3 + 0.4 * over / case.peak_bytes,
        "Memory",
        f"RSS rose in {up} of {CLIMB_PARTS} equal parts of that time",
        doubt="it may be all needed at once",
        next_step="take it in parts, and let go of each",
    )


def _peak(case: Case) -> Iterator[RankedFinding]:
    """A height that it had for a moment only: what a machine must have for it."""
    levels = [last for _, _, last in case.rss]
    if len(levels) < 8 or case.peak_bytes < LEAST_PEAK_BYTES:
        return
    usual = median(levels)
    over = case.peak_bytes - usual
    if case.peak_bytes < PEAK_RATIO * usual or over < LEAST_PEAK_BYTES:
        return
    at = _top(case)
    low = [n for n in range(at) if case.rss[n][2] <= usual + 0.2 * over]
    t0 = case.rss[low[-1]][0] if low else case.t0_ns
    t1 = case.rss[at][0]
    begin, end = format_seconds(case.seconds(t0)), format_seconds(case.seconds(t1))
    fell = any(last <= case.peak_bytes - 0.5 * over for last in levels[at + 1 :])
    when = "for a moment" if fell else "at its end"
    yield _rise_to_top(
        case,
        (t0, t1),
        over,
        f"peaks at {format_bytes(case.peak_bytes)} {when}, else {format_bytes(usual)}",
        0.2 + 0.3 * over / case.peak_bytes,
        "Flame",
        f"rose {format_bytes(over)} from {begin} to {end}",
        next_step="take it in parts where it rises, or free before you take more",
    )


def _top(case: Case) -> int:
    """Return which reading of RSS is the highest."""
    return max(range(len(case.rss)), key=lambda n: case.rss[n][1])


def _rise_to_top(
    case: Case,
    span_ns: tuple[int, int],
    over_bytes: float,
    text: str,
    impact: float,
    tab: Tab,
    evidence: str,
    *,
    doubt: str = "",
    next_step: str,
) -> RankedFinding:
    """Return a finding about a rise that ends at the peak, with whose code it was.

    Args:
        case: The session.
        span_ns: The rise.
        over_bytes: Its height.
        text, impact, tab, evidence, next_step: As of `RankedFinding`.
        doubt: Why it may be wrong, if it is known by whom it was.
    """
    code, unsure = _by_whom(case, *span_ns)
    part = _part_held(case, span_ns, over_bytes)
    if part is not None:
        kept, held_bytes = part
        text += f", about {format_bytes(held_bytes)} of it in {named(kept.what)}"
        evidence += f"; {_held(kept)} in {format_seconds(_looked_s(case, kept))} of looks"
        code = code or ("" if kept.code is None else str(kept.code))
    return RankedFinding(
        "peak",
        text,
        "info",
        impact,
        *span_ns,
        tab,
        proof.rss_sql(case.seconds(span_ns[0]), case.seconds(span_ns[1])),
        evidence,
        code,
        bytes=round(over_bytes),
        may_be_wrong=unsure or doubt,
        next_step=next_step,
    )


def _part_held(
    case: Case, span_ns: tuple[int, int], over_bytes: float
) -> tuple[Keeping, float] | None:
    """Return what holds most of a rise, and how much, if that is a part worth telling: what it had
    before the looks is taken to be as large as what came meanwhile."""
    for kept in case.keepers:
        if kept.t0_ns < span_ns[1] and kept.t1_ns > span_ns[0] and kept.entries > 0:
            held_bytes = kept.bytes * max(kept.total, kept.entries) / kept.entries
            if LEAST_KEPT_SHARE * over_bytes <= held_bytes <= over_bytes:
                return kept, held_bytes
    return None


def _looked_s(case: Case, kept: Keeping) -> float:
    return sum(t1 - t0 for t0, t1 in case.looks_of(kept)) / NS_PER_S


def _freed(case: Case) -> Iterator[RankedFinding]:
    reader = case.reader
    for name in reader.metric_names():
        if not name.startswith("part:") or FREED_KEPT not in name:
            continue
        size = reader.last(name) or 0.0
        if size >= max(LEAST_PEAK_BYTES, LEAST_FREED_SHARE * case.peak_bytes):
            part = name.removeprefix("part:")
            yield RankedFinding(
                "freed_not_returned",
                f"{format_bytes(size)} are freed but still in RSS: {part}",
                "info",
                0.2 + 0.3 * _share(case, size),
                case.t0_ns,
                case.t1_ns,
                "Memory",
                proof.part_sql(part),
                "read from the process's own maps and pools",
                bytes=round(size),
                next_step="no leak: the allocator keeps them; release gives them back",
            )


def _is_full(case: Case, kept: Keeping | None = None) -> bool:
    """Tell whether what grew has come to its end: loaded once, and kept."""
    since, size = (case.t0_ns, 0.0) if kept is None else (kept.t1_ns, _least_later(case, kept))
    top = case.rss_at(since) or 0.0
    last_rise = since
    for t, _, last in case.rss:
        if t > since and last > max(1.03 * top, top + size):
            top, last_rise = last, t
    flat_s = (case.t1_ns - last_rise) / NS_PER_S
    return flat_s >= max(LEAST_FLAT_S, LEAST_FLAT_SHARE * case.span_s)


def _least_later(case: Case, kept: Keeping) -> float:
    """Return how much more has to come after the last look: half of what would at the same pace,
    where the time that was left is short."""
    lasted_ns = max(kept.t1_ns - kept.t0_ns, 1)
    as_before = kept.bytes * max(case.t1_ns - kept.t1_ns, 0) / lasted_ns
    return min(LEAST_LATER * kept.bytes, 0.5 * as_before)


def _rose(case: Case, t0_ns: int, t1_ns: int) -> int | None:
    """Return by how much RSS rose in a span, to its highest."""
    begin = case.rss_at(t0_ns)
    highs = [high for t, high, _ in case.rss if t0_ns <= t <= t1_ns + NS_PER_S]
    if begin is None or not highs:
        return None
    return max(round(max(highs) - begin), 0)


def _share(case: Case, size: float | None) -> float:
    return min((size or 0) / case.peak_bytes, 1.0) if case.peak_bytes else 0.0


def _keeper(case: Case, t0_ns: int, t1_ns: int) -> Keeping | None:
    """Return what holds most of what came in a span, of what was looked at in it."""
    least = LEAST_HELD_SHARE * (_rose(case, t0_ns, t1_ns) or 0)
    mine = [
        kept
        for kept in case.keepers
        if kept.t0_ns < t1_ns and kept.t1_ns > t0_ns and kept.bytes > max(least, 0)
    ]
    return mine[0] if mine else None


def _held(kept: Keeping) -> str:
    """Say what holds it: "CACHE, a dict, +240 Row"."""
    of = f" {kept.of}" if kept.of else ""
    grew = f", +{format_count(kept.entries)}{of}" if kept.entries else ""
    return f"{named(kept.what)} ({kept.type}{grew})"


def named(what: str) -> str:
    """Return the path of what holds it, as its program would write it."""
    return what.removeprefix("__main__.")


def _by_whom(case: Case, t0_ns: int, t1_ns: int, kept: Keeping | None = None) -> tuple[str, str]:
    """Return the code that made it grow, and why that may be wrong."""
    if kept is not None and kept.code is not None:
        return str(kept.code), ""
    rises = [
        rise
        for rise in rises_of(case.reader.blame(t0_ns, t1_ns))
        if rise.code is not None and rise.rss_bytes > 0
    ]
    if rises:
        return str(rises[0].code), ""
    threads = case.reader.call_tree(t0_ns, t1_ns)
    for grown in grown_by_function(case.reader.tree, threads):
        if grown.confidence == CANNOT_TELL and len(grown.within) > 1:
            return "", f"samples cannot tell which of {listed(grown.within)}"
        if grown.within and not grown.row.file:
            names = " and ".join(grown.within)
            return _own(case, threads, waits=True), f"native threads grew it while {names} waited"
        if grown.row.file:
            sure = grown.confidence != CANNOT_TELL
            return _own(case, threads), "" if sure else grown.why or "by share of CPU"
    return "", ""


def _own(case: Case, threads: Sequence[ThreadTree], *, waits: bool = False) -> str:
    """Return the program's own line below which most memory grew, or most was waited for in a
    library; "" if no stack has a line of its own."""
    sizes: dict[int, int] = {}
    for _, node, weights in leaves(threads):
        spot = case.spots.of(node)
        amount = weights.waiting_ns * bool(spot.package) if waits else weights.grown_bytes
        if spot.own != ROOT and amount > 0:
            sizes[spot.own] = sizes.get(spot.own, 0) + amount
    return case.spots.place(max(sizes, key=lambda node: sizes[node])) if sizes else ""


def _next(case: Case, collects: bool, kept: Keeping | None) -> str:
    if kept is not None:
        return f"bound {named(kept.what)}, or let go of what is done"
    if collects:
        return "work on each batch and let it go, instead of keeping all"
    notes = notes_of(case.reader.blame(case.t0_ns, case.t1_ns), "census")
    if any(note.startswith(UNNAMED) for note in notes):
        return "run it again with --memray: no name of the program's leads to what holds it"
    target = case.reader.target()
    if target.launched or target.agent:
        return "run it again with --deep: names the path that holds it"
    return "start it with perftui run: what holds it is then looked for from inside"
