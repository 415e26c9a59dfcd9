"""The words of a difference: how a change reads, what ran only now, what happened meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.place import called_anywhere
from perftui.probes.profile.sums import BYTES
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds, three_digits
from perftui.tui.text.fit import clean, width_of
from perftui.tui.widgets.charts.time_axis import moment_text
from perftui.tui.widgets.flame.detail import percent
from perftui.tui.widgets.flame.words import inside, place_of

if TYPE_CHECKING:
    from perftui.probes.profile.difference import Change, Delta, Difference, FunctionDiff
    from perftui.probes.profile.sums import WeightName
    from perftui.tui.picture.against import Against
    from perftui.tui.picture.view import View

LEVELS = (0.005, 0.05, 0.2)
"""Changes of share from which a frame is drawn in a stronger colour; below the first in none."""
WHAT = {
    "wall": "time",
    "cpu": "CPU",
    "grown": "growth",
    "waiting": "waiting",
    "touched": "touched memory",
}


class ChangeFace(NamedTuple):
    """How a change looks and reads."""

    level: int
    """-3..3: how much less or more; 0 is unchanged."""
    mark: str
    """The same in words: "+12 %", "new 48 %"."""


def face_of(delta: Delta) -> ChangeFace:
    """Put a change of share into a colour and a few characters."""
    level = sum(abs(delta.share) >= least for least in LEVELS)
    if delta.state == "new":
        return ChangeFace(level, f"new {percent(delta.new_share)}")
    if delta.state == "vanished":
        return ChangeFace(-level, f"gone {percent(delta.base_share)}")
    if not level:
        return ChangeFace(0, "=")
    return ChangeFace(level if delta.share > 0 else -level, signed(delta.share))


def signed(share: float) -> str:
    """Format a change of share: +12 %, -3.2 %."""
    return ("+" if share >= 0 else "-") + percent(abs(share))


def rate_text(per_s: float, weight: WeightName) -> str:
    """Say a rate of one weight: 0.48 s/s, 3.2 MB/s."""
    if weight in BYTES:
        return f"{format_bytes(per_s)}/s"
    return f"{three_digits(round(per_s, 3))} s/s"


def change_figures(
    found: Difference, total: Change, own: Change, weight: WeightName
) -> tuple[tuple[str, str], ...]:
    """Explain a frame: before -> during, in shares and per second, and of itself."""
    delta, mine = found.delta(total, weight), found.delta(own, weight)
    shares = f"{percent(delta.base_share)} → {percent(delta.new_share)}"
    rates = f"{rate_text(delta.base_per_s, weight)} → {rate_text(delta.new_per_s, weight)}"
    state = {"new": "not before", "vanished": "only before"}.get(delta.state, "change")
    return (
        (f"{WHAT[weight]} before → during", shares),
        (state, signed(delta.share) if abs(delta.share) >= 0.0005 else "none"),
        ("self", f"{percent(mine.base_share)} → {percent(mine.new_share)}"),
        ("per second", rates),
    )


def diff_label(mark: str, name: str, place: str, width: int) -> str:
    """Fit mark, name and place into a box behind its edge: the mark stays longest."""
    if width <= 2:
        return " " * width
    room = width - len(mark) - 1
    if room >= 6:
        return f"{mark} " + inside(f"{name}  {place}" if place else name, room)
    if len(mark) > width:
        mark = mark.split()[0] if mark[0].isalpha() else mark[0]
    return mark[:width].ljust(width)


def head_text(against: Against, view: View) -> tuple[str, str]:
    """Say what is laid against what: the important words, and the rest."""
    assert against.base is not None
    t0, t1 = (moment_text(view.seconds(t)) for t in against.span)
    length = format_seconds((against.span[1] - against.span[0]) / NS_PER_S)
    before = format_seconds((against.base[1] - against.base[0]) / NS_PER_S)
    thread = view.selection.thread
    names = {(s.pid, s.tid): s.name for s in view.stacks}
    who = "busy threads" if thread is None else clean(names.get(thread, str(thread[1])))
    return (
        f"{t0} – {t1} against the {before} before",
        f"{length} long · shares of the {WHAT[view.selection.weight]} of {who} · D plain flame",
    )


def _named(row: FunctionDiff) -> str:
    name = clean(called_anywhere(row.function, row.file))
    return f"{name} {place_of(row.module, row.file, row.line)}"


def fresh_text(against: Against, weight: WeightName) -> tuple[str, str]:
    """Return (title, list) of what ran then and not before, else of what rose most."""
    found = against.difference
    assert found is not None
    for each in (found, against.by_line):
        told = [
            f"{_named(row)} {percent(delta.new_share)}"
            for row, delta in (each.only_now(weight) if each is not None else ())
        ]
        if told:
            what = "lines that " if each is against.by_line else ""
            return f"{what}ran then and not before:", " · ".join(told)
    rose = [
        f"{_named(row)} {signed(own.share)}"
        for row, own, _ in found.ranked(weight)
        if own.share >= LEVELS[0]
    ]
    if rose:
        return "all of it ran before; rose most:", " · ".join(rose[:4])
    return "all of it ran before, in much the same shares", ""


def meanwhile_text(view: View) -> str:
    """Name the phases, imports and calls of the range."""
    t0, t1 = view.range
    parts = []
    phases = [phase for phase in view.phases if phase.t0_ns < t1]
    if phases:
        names = list(dict.fromkeys(clean(phase.name) for phase in phases))
        parts.append(("phase " if len(names) == 1 else "phases ") + ", ".join(names[:4]))
    known = {(row.pid, row.id) for row in view.imports}
    outer = [row for row in view.imports if (row.pid, row.parent_id) not in known]
    outer.sort(key=lambda row: -row.total_ns)
    for row in outer[:2]:
        inside_it = sum(1 for each in view.imports if each.pid == row.pid) if len(outer) == 1 else 0
        many = f" ({inside_it} modules)" if inside_it > 1 else ""
        going = " so far" if row.running else ""
        took = format_seconds(row.total_ns / NS_PER_S)
        parts.append(f"import {clean(row.module)} {took}{going}{many}")
    if len(outer) > 2:
        parts.append(f"{len(outer) - 2} more imports")
    for call in view.calls[:2]:
        first = format_seconds(call.first_ns / NS_PER_S)
        warm = call.warm_median_ns
        then = "" if warm is None else f", warm {format_seconds(warm / NS_PER_S)}"
        parts.append(f"call {clean(call.name)} ×{call.n}, first ever {first}{then}")
    marks = [clean(e.text) for e in view.events if e.kind == "mark" and t0 <= e.t_ns < t1]
    if marks:
        parts.append("mark " + ", ".join(marks[:2]))
    return " · ".join(parts)


def fits(parts: tuple[str, str], width: int) -> bool:
    """Tell whether both parts of a line fit beside each other."""
    return sum(width_of(part) for part in parts) + 3 <= width
