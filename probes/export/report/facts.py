"""What a report says of a part of a recording: the figures behind the Markdown and the page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.profile.sums import busy, function_sums
from perftui.probes.spine.reader import TREE
from perftui.probes.text.redact import redact_argv
from perftui.probes.text.units import (
    NS_PER_S,
    format_bytes,
    format_count,
    format_seconds,
    three_digits,
)
from perftui.probes.verdict.ranked import verdict as whole_verdict

if TYPE_CHECKING:
    from perftui.probes.export.material.slice import Slice
    from perftui.probes.profile.sums import FunctionSum
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.reader import CallStats, Counter, Import, Phase, Reader, ThreadTree
    from perftui.probes.spine.records import Alert
    from perftui.probes.verdict.finding import SessionVerdict

SEVERITIES = ("critical", "warn", "info")
PASSING = ("slow_import", "cold_start")
"""Kinds of alert that are over by themselves: never before others of their severity."""


class Facts(NamedTuple):
    """See the module. Times are of the session's clock; `start_ns` is where people count from."""

    title: str
    command: str
    start_ns: int
    part: Slice
    is_whole: bool
    end: str
    """How the program ended, in words."""
    failed: bool
    """It ended with an error or by a signal."""
    cpu_s: float | None
    cpu_system_s: float | None
    peak_rss_bytes: int | None
    import_s: float | None
    alerts: tuple[Alert, ...]
    """The worst first, the earliest first among equals."""
    phases: tuple[Phase, ...]
    imports: tuple[Import, ...]
    calls: tuple[CallStats, ...]
    counters: tuple[Counter, ...]
    threads: tuple[ThreadTree, ...]
    """Their stacks, hottest first."""
    top: list[FunctionSum]
    """Of the threads that a person means by "the program"."""
    top_wall_ns: int
    """What shares in `top` are of."""
    found: SessionVerdict | None
    """What matters about the whole; None of a part."""

    @property
    def duration_s(self) -> float:
        """Length of the part."""
        return self.part.duration_s

    def seconds(self, t_ns: int) -> float:
        """Time since the start of the session."""
        return (t_ns - self.start_ns) / NS_PER_S


def facts_of(reader: RecordedReader, part: Slice) -> Facts:
    """Gather what a report says."""
    status, target = reader.status(), reader.target()
    t0, t1 = part.t0_ns, part.t1_ns
    is_whole = t0 <= status.t_start_ns and t1 > status.t_end_ns and part.pid is None
    phases = tuple(row for row in reader.phases(t0, t1) if part.has_process(row.pid))
    imports = tuple(row for row in reader.imports(t0, t1) if part.has_process(row.pid))
    threads = tuple(
        tree for tree in reader.call_tree(t0, t1) if part.has_thread(tree.pid, tree.tid)
    )
    counted = busy(threads)
    user, system = _cpu(reader, part, is_whole)
    return Facts(
        title=target.title or " ".join(redact_argv(target.argv)) or reader.path.name,
        command=" ".join(redact_argv(target.argv)),
        start_ns=status.t_start_ns,
        part=part,
        is_whole=is_whole,
        end=_end(status.exit_code, status.signal),
        failed=bool(status.exit_code) or status.signal is not None,
        cpu_s=None if user is None else user + (system or 0.0),
        cpu_system_s=system,
        peak_rss_bytes=_peak(reader, part, is_whole, phases),
        import_s=_import_s(imports),
        alerts=alerts_of(reader, part),
        phases=phases,
        imports=imports,
        calls=reader.calls(t0, t1),
        counters=reader.counters(t0, t1),
        threads=threads,
        top=function_sums(reader.tree, counted),
        top_wall_ns=sum(tree.wall_ns for tree in counted),
        found=whole_verdict(reader) if is_whole else None,
    )


def alerts_of(reader: Reader, part: Slice) -> tuple[Alert, ...]:
    """Return alerts, the worst first."""
    told = reader.alerts(part.t0_ns, part.t1_ns)
    return tuple(sorted(told, key=lambda a: (rank_of(a.severity), a.kind in PASSING, a.t_onset_ns)))


def rank_of(severity: str) -> int:
    """Return how bad a severity is, 0 the worst; of an unknown one, less than all."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _end(exit_code: int | None, signal: int | None) -> str:
    if signal is not None:
        return f"killed by signal {signal}"
    if exit_code is not None:
        return f"exit code {exit_code}"
    return "still running or end unknown"


def _cpu(reader: Reader, part: Slice, is_whole: bool) -> tuple[float | None, float | None]:
    """Return CPU seconds (user, system): the kernel's own sums of a whole run that ended."""
    exit_ = reader.exit()
    if is_whole and exit_ is not None and exit_.cpu_user_s is not None:
        return exit_.cpu_user_s, exit_.cpu_system_s
    user, system = (_gained(reader, part, name) for name in ("cpu_user_s", "cpu_system_s"))
    return user, system


def _gained(reader: Reader, part: Slice, name: str) -> float | None:
    """Return by how much a cumulative metric grew in a part."""
    pid = TREE if part.pid is None else part.pid
    found = reader.metric(name, part.t0_ns, part.t1_ns, 1, pid)
    low, high = found.low[0], found.high[0]
    if low is None or high is None:
        return None
    is_from_birth = part.t0_ns <= reader.status().t_start_ns and reader.target().launched
    return high if is_from_birth else high - low


def _peak(reader: Reader, part: Slice, is_whole: bool, phases: tuple[Phase, ...]) -> int | None:
    pid = TREE if part.pid is None else part.pid
    peaks: list[float | None] = [reader.highest("rss_bytes", part.t0_ns, part.t1_ns, pid)]
    inside = (row for row in phases if part.t0_ns <= row.t0_ns and (row.t1_ns or 0) <= part.t1_ns)
    peaks += [row.peak_rss_bytes for row in inside]
    if is_whole:
        exit_ = reader.exit()
        is_target = exit_ is not None and exit_.pid == reader.target().pid
        peaks.append(reader.last("high_water_rss_bytes", TREE))
        peaks.append(exit_.max_rss_bytes if exit_ is not None and is_target else None)
    known = [peak for peak in peaks if peak is not None]
    return int(max(known)) if known else None


def _import_s(imports: tuple[Import, ...]) -> float | None:
    if not imports:
        return None
    known = {(row.pid, row.id) for row in imports}
    roots = [row for row in imports if (row.pid, row.parent_id) not in known]
    return sum(row.total_ns for row in roots) / NS_PER_S


class MainFigure(NamedTuple):
    """One main figure."""

    name: str
    value: str
    detail: str = ""
    is_bad: bool = False


def figures(facts: Facts) -> list[MainFigure]:
    """Return the main figures in the order of interest, unknown ones left out."""
    found = [MainFigure("duration", format_seconds(facts.duration_s))]
    if facts.cpu_s is not None:
        cores = three_digits(facts.cpu_s / max(facts.duration_s, 1e-9))
        detail = f"{cores} cores on average"
        if facts.cpu_system_s and facts.cpu_s > 0:
            detail += f", {facts.cpu_system_s * 100 / facts.cpu_s:.0f} % in the kernel"
        found.append(MainFigure("CPU", format_seconds(facts.cpu_s), detail))
    if facts.peak_rss_bytes is not None:
        found.append(MainFigure("peak RSS", format_bytes(facts.peak_rss_bytes)))
    if facts.import_s is not None:
        count = len(facts.imports)
        word = "module" if count == 1 else "modules"
        found.append(MainFigure("imports", format_seconds(facts.import_s), f"{count} {word}"))
    for counter in facts.counters[:2]:
        rate = "" if counter.per_s is None else f"{format_count(counter.per_s)}/s"
        found.append(MainFigure(counter.name, format_count(counter.total), rate))
    if facts.is_whole:
        found.append(MainFigure("end", facts.end, is_bad=facts.failed))
    return found


def verdict(facts: Facts) -> str:
    """Say in one line what matters most: how it ended, and the finding of most impact; of a part,
    the worst alert."""
    telling = [alert for alert in facts.alerts if alert.severity != "info"]
    if facts.found is not None:
        first = next(iter(facts.found.findings), None)
        if first is None:
            return f"nothing stands out: {facts.found.plain}"
        others = len(facts.found.findings) - 1 + facts.found.more
        return first.line + (f" · {others} more" if others else "")
    parts = []
    if telling:
        worst = telling[0]
        parts.append(f"{worst.kind.replace('_', ' ')}: {worst.message}")
        if len(telling) > 1:
            parts.append(f"{len(telling) - 1} more")
    else:
        parts.append("no warnings" if facts.alerts else "no alerts")
    return " · ".join(parts)


def own_cost(reader: Reader) -> list[tuple[str, str]]:
    """Return what measuring cost and how well it went, as (what, figure)."""
    status, overhead = reader.status(), reader.overhead()
    samples, torn = reader.sample_counts()
    rows = []
    if overhead is not None:
        length_s = max((status.t_end_ns - status.t_start_ns) / NS_PER_S, 1e-9)
        share = f"{overhead.cpu_s * 100 / length_s:.1f} % of a core"
        rows.append(("CPU", f"{format_seconds(overhead.cpu_s)}, {share}"))
    peak = reader.own_peak_rss_bytes()
    if peak is not None:
        rows.append(("peak RSS", format_bytes(peak)))
    if status.stack_backend is not None:
        rows.append(("stacks by", status.stack_backend))
        if status.stack_rate_hz is not None:
            rows.append(("sampling", f"{three_digits(status.stack_rate_hz)} Hz"))
        rows.append(("samples", format_count(samples)))
        if status.stack_coverage is not None:
            rows.append(("coverage", f"{status.stack_coverage * 100:.1f} % of the CPU"))
        rows.append(("torn", f"{torn} ({torn * 100 / samples:.1f} %)" if samples else "0"))
    else:
        rows.append(("stacks", "none were sampled"))
    rows.append(("late readings", str(status.late_samples)))
    rows.append(("dropped records", str(status.dropped_records)))
    return rows


def missing(reader: RecordedReader) -> list[str]:
    """Say what is not in the recording, and what the tool told while it ran."""
    told = [] if reader.salvage is None else [reader.salvage]
    summary = reader.meta.get("summary")
    lost = summary.get("lost_rows") if isinstance(summary, dict) else None
    if isinstance(lost, int) and lost > 0:
        told.append(f"{lost} records were lost: the recorder could not keep up")
    return told + [notice.text for notice in reader.status().notices]


def machine_rows(reader: RecordedReader) -> list[tuple[str, str]]:
    """Return what the figures were measured on, as (what, value); unknown ones left out."""
    meta = reader.meta
    machine, versions = _mapping(meta.get("machine")), _mapping(meta.get("versions"))
    options = _mapping(meta.get("options"))
    rows = []
    created = meta.get("created_wall_ns")
    if isinstance(created, int) and 0 < created < 1 << 62:
        when = datetime.fromtimestamp(created // NS_PER_S, UTC)
        rows.append(("recorded", f"{when:%Y-%m-%d %H:%M:%S} UTC"))
    cores, ram = machine.get("cpu_count"), machine.get("ram_bytes")
    rows += [
        ("CPU", _text(machine.get("cpu_model"))),
        ("cores", str(cores) if isinstance(cores, int) else ""),
        ("memory", format_bytes(ram) if isinstance(ram, int) else ""),
        ("kernel", f"{_text(machine.get('platform'))} {_text(machine.get('kernel'))}".strip()),
        ("architecture", _text(machine.get("architecture"))),
        ("target's Python", reader.target().python or ""),
        ("memory limit", _limit(options.get("limit_bytes"))),
    ]
    rows += [
        (name if name != "python" else "perftui's Python", _text(version))
        for name, version in versions.items()
        if name != "implementation"
    ]
    return [(name, value) for name, value in rows if value]


def _limit(value: object) -> str:
    return format_bytes(value) if isinstance(value, int) and value > 0 else ""


def _text(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
