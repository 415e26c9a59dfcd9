"""What makes two sets of runs hard to compare, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S, format_bytes, three_digits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perftui.probes.compare.facts import RunFacts
    from perftui.probes.compare.place import RunPlace

_OVERHEAD_POINTS, _OVERHEAD_RATIO = 2.0, 1.5
"""Per cent of a core, and factor, by which perftui's own CPU may differ."""
_COVERAGE = 0.9
_PACKAGES_SHOWN = 6


def warnings(base: Sequence[RunFacts], new: Sequence[RunFacts]) -> list[str]:
    """Say what makes the runs hard to compare, the worst first; each a line."""
    told: list[str] = []
    sides = [run.place for run in base], [run.place for run in new]
    for label, values in (
        ("machine", [{p.host or "" for p in side} for side in sides]),
        ("CPU", [{p.cpu_model or "" for p in side} for side in sides]),
        ("cores", [{_shown(p.cores) for p in side} for side in sides]),
        ("Python", [{p.python or "" for p in side} for side in sides]),
        ("kernel", [{p.kernel or "" for p in side} for side in sides]),
        ("memory", [{_bytes(p.ram_bytes) for p in side} for side in sides]),
        ("memory limit", [{_bytes(p.limit_bytes) or "none" for p in side} for side in sides]),
        ("stack rate", [{_rate(p) for p in side} for side in sides]),
        ("native frames", [{_shown(p.native) for p in side} for side in sides]),
    ):
        told += _differs(label, *values)
    for name in dict(sides[0][0].tools):
        told += _differs(name, *({_shown(dict(p.tools).get(name)) for p in s} for s in sides))
    # One knows what a thread used in a stack, the other shares it out: figures differ by that.
    told += _differs(
        "who took the stacks",
        *({_shown(r.reader.status().stack_backend) for r in side} for side in (base, new)),
    )
    told += _packages(base, new)
    told += _differs("what was run", *({p.title for p in side} for side in sides))
    told += _overheads(base, new)
    for run in (*base, *new):
        told += _about(run)
    return told


def _packages(base: Sequence[RunFacts], new: Sequence[RunFacts]) -> list[str]:
    """Say which distributions differ that both sides imported, or one of them alone."""
    sides = []
    for side in (base, new):
        known: dict[str, set[str]] = {}
        for run in side:
            for name, version in run.installed.items():
                known.setdefault(name, set()).add(version)
        if not known:
            return []  # recorded before this was, or no program that could tell
        sides.append({name: ", ".join(sorted(versions)) for name, versions in known.items()})
    changed = package_changes(*sides)
    if not changed:
        return []
    more = f" and {len(changed) - _PACKAGES_SHOWN} more" if len(changed) > _PACKAGES_SHOWN else ""
    return [f"installed packages differ: {', '.join(changed[:_PACKAGES_SHOWN])}{more}"]


def package_changes(base: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Say which distributions differ: "pyarrow 25.0 → 26.0", "+ polars 2.1", "- pandas 3.1"."""
    changed = [
        f"{name} {base[name]} → {new[name]}"
        for name in base
        if name in new and base[name] != new[name]
    ]
    changed += [f"+ {name} {new[name]}" for name in new if name not in base]
    return changed + [f"- {name} {base[name]}" for name in base if name not in new]


def _differs(label: str, base: set[str], new: set[str]) -> list[str]:
    """Say that a property differs; what is unknown on a side is not told."""
    before, after = base - {""}, new - {""}
    if not before or not after or before == after:
        return []
    one, other = (", ".join(sorted(side)) for side in (before, after))
    return [f"{label} differs: {one} → {other}"]


def _overheads(base: Sequence[RunFacts], new: Sequence[RunFacts]) -> list[str]:
    found = []
    for side in (base, new):
        known = [r.figures["own_cpu"].value for r in side if "own_cpu" in r.figures]
        found.append(sum(known) / len(known) if known else None)
    before, after = found
    if before is None or after is None:
        return []
    low, high = sorted((before, after))
    if high - low < _OVERHEAD_POINTS or high < _OVERHEAD_RATIO * low:
        return []
    return [
        f"perftui's own cost differs: {three_digits(before)} % → {three_digits(after)} % of a core"
    ]


def _about(run: RunFacts) -> list[str]:
    status = run.reader.status()
    told = []
    if run.still_runs:
        told.append(f"{run.name} still runs: compared as far as it is")
    if run.place.unread is not None:
        told.append(f"{run.name}: {run.place.unread}")
    if not run.stacks:
        told.append(f"{run.name} has no stacks here: functions cannot be compared")
    elif status.stack_coverage is not None and status.stack_coverage < _COVERAGE:
        share = 100 * status.stack_coverage
        told.append(f"{run.name}: stacks cover only {share:.0f} % of the CPU")
    if status.dropped_records:
        told.append(f"{run.name}: {status.dropped_records} records were dropped")
    if run.span[1] - run.span[0] < NS_PER_S // 2:
        told.append(f"{run.name} is shorter than 0.5 s here: shares rest on few samples")
    return told


def _rate(place: RunPlace) -> str:
    if not place.stacks:
        return "no stacks"
    return "" if place.rate_hz is None else f"{place.rate_hz:.0f} Hz"


def _bytes(value: int | None) -> str:
    return "" if value is None else format_bytes(value)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
