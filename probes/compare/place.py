"""Where and how a run was measured, and what of that makes two runs hard to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.text.units import NS_PER_S, format_bytes, three_digits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perftui.probes.compare.facts import RunFacts
    from perftui.probes.recording.read.reader import RecordingReader
    from perftui.probes.store.store import Store

_OVERHEAD_POINTS, _OVERHEAD_RATIO = 2.0, 1.5
"""Per cent of a core, and factor, by which perftui's own CPU may differ."""
_COVERAGE = 0.9


class Place(NamedTuple):
    """Unknown is None."""

    path: str | None
    """Of the recording."""
    identity: str | None
    """What tells a recording from all others."""
    began_wall_ns: int | None
    title: str
    argv: tuple[str, ...]
    host: str | None
    kernel: str | None
    cpu_model: str | None
    cores: int | None
    ram_bytes: int | None
    python: str | None
    """Of the program."""
    tools: tuple[tuple[str, str | None], ...]
    """Versions of perftui and what it measures with."""
    stacks: bool
    """Stacks were asked for."""
    rate_hz: float | None
    """Stack samples a second that were asked for."""
    metrics_rate_hz: float | None
    native: bool | None
    limit_bytes: int | None
    unread: str | None
    """What of the recording could not be read."""
    recording: bool = False
    """It is still being recorded."""


def place_of(recording: RecordingReader) -> Place:
    """Return where a recording was made."""
    meta = recording.meta
    machine, options = _mapping(meta.get("machine")), _mapping(meta.get("options"))
    versions = _mapping(meta.get("versions"))
    target = recording.target()
    return Place(
        path=str(recording.path),
        identity=_text(meta.get("id")),
        began_wall_ns=_whole(meta.get("created_wall_ns")),
        title=target.title,
        argv=target.argv,
        host=_text(meta.get("host")),
        kernel=_text(machine.get("kernel")),
        cpu_model=_text(machine.get("cpu_model")),
        cores=_whole(machine.get("cpu_count")),
        ram_bytes=_whole(machine.get("ram_bytes")),
        python=target.python,
        tools=tuple((name, _text(versions.get(name))) for name in ("perftui", "py-spy", "pyarrow")),
        stacks=options.get("stacks") is not False,
        rate_hz=_number(options.get("stack_rate_hz")),
        metrics_rate_hz=_number(options.get("metrics_rate_hz")),
        native=options.get("native") if isinstance(options.get("native"), bool) else None,
        limit_bytes=_whole(options.get("limit_bytes")),
        unread=recording.salvage,
        recording=recording.state == "recording",
    )


def place_here(reader: Store) -> Place:
    """Return where a session that runs on this machine is measured."""
    import time

    from perftui.probes.recording.format import meta as meta_file

    machine, versions = meta_file.machine(), meta_file.versions()
    target, status = reader.target(), reader.status()
    since_ns = time.monotonic_ns() - status.t_start_ns
    return Place(
        path=None,
        identity=None,
        began_wall_ns=time.time_ns() - since_ns,
        title=target.title,
        argv=target.argv,
        host=meta_file.host_name(),
        kernel=machine["kernel"],
        cpu_model=machine["cpu_model"],
        cores=machine["cpu_count"],
        ram_bytes=machine["ram_bytes"],
        python=target.python,
        tools=tuple((name, versions.get(name)) for name in ("perftui", "py-spy", "pyarrow")),
        stacks=status.stack_backend is not None,
        rate_hz=None,
        metrics_rate_hz=None,
        native=None,
        limit_bytes=None,
        unread=None,
    )


def warnings(base: Sequence[RunFacts], new: Sequence[RunFacts]) -> list[str]:
    """Say what makes the runs hard to compare, the worst first; each a line."""
    told: list[str] = []
    sides = [run.place for run in base], [run.place for run in new]
    for label, field in (
        ("machine", "host"),
        ("CPU", "cpu_model"),
        ("cores", "cores"),
        ("Python", "python"),
        ("kernel", "kernel"),
    ):
        told += _differs(label, *({_shown(getattr(p, field)) for p in side} for side in sides))
    for label, values in (
        ("memory", [{_bytes(p.ram_bytes) for p in side} for side in sides]),
        ("memory limit", [{_bytes(p.limit_bytes) or "none" for p in side} for side in sides]),
        ("stack rate", [{_rate(p) for p in side} for side in sides]),
        ("native frames", [{_shown(p.native) for p in side} for side in sides]),
    ):
        told += _differs(label, *values)
    for name in dict(sides[0][0].tools):
        told += _differs(name, *({_shown(dict(p.tools).get(name)) for p in s} for s in sides))
    told += _differs("what was run", *({p.title for p in side} for side in sides))
    told += _overheads(base, new)
    for run in (*base, *new):
        told += _about(run)
    return told


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
        told.append(f"{run.name}: stacks cover only {share:.0f} % of the time")
    if status.dropped_records:
        told.append(f"{run.name}: {status.dropped_records} records were dropped")
    if run.span[1] - run.span[0] < NS_PER_S // 2:
        told.append(f"{run.name} is shorter than 0.5 s here: shares rest on few samples")
    return told


def _rate(place: Place) -> str:
    if not place.stacks:
        return "no stacks"
    return "" if place.rate_hz is None else f"{place.rate_hz:.0f} Hz"


def _bytes(value: int | None) -> str:
    return "" if value is None else format_bytes(value)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value[:4096] if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if type(value) is int else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
