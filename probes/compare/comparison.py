"""Two sets of runs, compared: the one value that text, JSON, Markdown and the screen show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.compare.confidence import LEAST_RUNS
from perftui.probes.compare.facts import PhaseKey, RunFacts, numbered_phases, take_facts
from perftui.probes.compare.figures import figure_changes
from perftui.probes.compare.functions import function_changes
from perftui.probes.compare.warnings import warnings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.compare.facts import ImportSum
    from perftui.probes.compare.figures import FigureChange
    from perftui.probes.compare.functions import FunctionChanges
    from perftui.probes.compare.place import RunPlace
    from perftui.probes.spine.reader import Reader

ONE_RUN = "one run each: cannot separate noise from change"
_IMPORT_S, _IMPORT_PART = 0.010, 0.20


class ComparedRun(NamedTuple):
    """A run to be compared."""

    reader: Reader
    name: str
    place: RunPlace


class PhaseChange(NamedTuple):
    """A phase on both sides."""

    key: PhaseKey
    duration: FigureChange | None
    cpu: FigureChange | None
    peak_rss: FigureChange | None
    in_base: bool
    in_new: bool


class ImportChange(NamedTuple):
    """A module on both sides: medians of runs that import it."""

    module: str
    parent: str | None
    base: ImportSum | None
    new: ImportSum | None

    @property
    def seconds(self) -> float:
        """Change of the cumulative time."""
        before = self.base.cumulative_s if self.base else 0.0
        return (self.new.cumulative_s if self.new else 0.0) - before

    @property
    def self_seconds(self) -> float:
        """Change of its own time."""
        return (self.new.self_s if self.new else 0.0) - (self.base.self_s if self.base else 0.0)

    @property
    def is_change(self) -> bool:
        """Whether it is worth a line: only on one side, or its own time differs clearly."""
        if self.base is None or self.new is None:
            return True
        return abs(self.self_seconds) > max(_IMPORT_S, _IMPORT_PART * self.base.self_s)


class AlertChange(NamedTuple):
    """Alerts of one kind on both sides."""

    kind: str
    base: int
    """Most in any run."""
    new: int
    message: str
    """Of the newest one."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """See the module."""

    base: tuple[RunFacts, ...]
    new: tuple[RunFacts, ...]
    pair: tuple[RunFacts, RunFacts]
    """The runs that stand for their sides on timelines and in the flame: of median duration."""
    phase: PhaseKey | None
    """What all of it is restricted to."""
    warnings: tuple[str, ...]
    figures: tuple[FigureChange, ...]
    phases: tuple[PhaseChange, ...]
    functions: FunctionChanges
    imports: tuple[ImportChange, ...]
    alerts: tuple[AlertChange, ...]

    @property
    def single(self) -> bool:
        """Whether there are too few runs to tell noise from change."""
        return min(len(self.base), len(self.new)) < LEAST_RUNS

    @property
    def memory_changed(self) -> bool:
        """Whether any figure of memory did: where it grew is an estimate, and shifts by itself."""
        figures = (self.figure(key) for key in ("peak_rss", "end_rss", "growth"))
        return any(figure is not None and figure.is_change for figure in figures)

    def figure(self, key: str) -> FigureChange | None:
        """Return a figure by its key."""
        return next((change for change in self.figures if change.key == key), None)


def compare(
    base: Sequence[ComparedRun],
    new: Sequence[ComparedRun],
    phase: PhaseKey | None = None,
    *,
    test: bool = True,
) -> Comparison:
    """Compare runs.

    Args:
        base: What was.
        new: What is.
        phase: Restrict all of it to this phase.
        test: Look for the noise within single runs, which reads them block by block.

    Raises:
        KeyError: a run has no such phase.
    """
    before, after = (
        tuple(take_facts(run.reader, run.name, run.place, phase) for run in side)
        for side in (base, new)
    )
    pair = (_middle_run(before), _middle_run(after))
    figures = tuple(figure_changes(before, after))
    return Comparison(
        base=before,
        new=after,
        pair=pair,
        phase=phase,
        warnings=(*_few_runs(before, after), *warnings(before, after)),
        figures=figures,
        phases=tuple(_phases(before, after, figures)),
        functions=function_changes(before, after, pair, test=test),
        imports=tuple(_imports(pair)),
        alerts=tuple(_alerts(before, after)),
    )


def phases_in_all(runs: Sequence[ComparedRun]) -> list[PhaseKey]:
    """Return the phases that every run has: what a comparison can be restricted to."""
    keyed = []
    for run in runs:
        status = run.reader.status()
        keyed.append(numbered_phases(run.reader.phases(status.t_start_ns, status.t_end_ns + 1)))
    return [key for key in keyed[0] if all(key in other for other in keyed[1:])]


def _middle_run(runs: Sequence[RunFacts]) -> RunFacts:
    return sorted(runs, key=lambda run: run.duration_s)[(len(runs) - 1) // 2]


def _few_runs(base: Sequence[RunFacts], new: Sequence[RunFacts]) -> list[str]:
    least = min(len(base), len(new))
    if len(base) == len(new) == 1:
        return [ONE_RUN]
    if least < LEAST_RUNS:
        return [
            f"{len(base)} and {len(new)} runs: cannot separate noise from change;"
            f" {LEAST_RUNS} or more a side can"
        ]
    began = [[run.place.began_wall_ns for run in side] for side in (base, new)]
    one, other = ([at for at in side if at is not None] for side in began)
    if one and other and (max(one) < min(other) or max(other) < min(one)):
        return [
            "one side was run after the other: a drift of the machine looks like a change;"
            " run them in turns"
        ]
    return []


def _phases(
    base: Sequence[RunFacts], new: Sequence[RunFacts], figures: Sequence[FigureChange]
) -> list[PhaseChange]:
    known = {figure.key: figure for figure in figures}
    keys: dict[PhaseKey, None] = {}
    for run in (*base, *new):
        keys.update(dict.fromkeys(run.phases))
    return [
        PhaseChange(
            key,
            known.get(f"phase:{key}.duration"),
            known.get(f"phase:{key}.cpu"),
            known.get(f"phase:{key}.peak_rss"),
            any(key in run.phases for run in base),
            any(key in run.phases for run in new),
        )
        for key in keys
    ]


def _imports(pair: tuple[RunFacts, RunFacts]) -> list[ImportChange]:
    """Lay the imports of the two runs over each other, the largest change first."""
    before, after = pair[0].imports, pair[1].imports
    rows = []
    for module in {**before, **after}:
        one, other = before.get(module), after.get(module)
        parent = (other or one or after[module]).parent
        rows.append(ImportChange(module, parent, one, other))
    rows.sort(key=lambda row: (not row.is_change, -abs(row.seconds), row.module))
    return rows


def _alerts(base: Sequence[RunFacts], new: Sequence[RunFacts]) -> list[AlertChange]:
    kinds: dict[str, AlertChange] = {}
    for which, runs in enumerate((base, new)):
        for run in runs:
            counts: dict[str, int] = {}
            for alert in run.alerts:
                if alert.severity == "info":
                    continue
                counts[alert.kind] = counts.get(alert.kind, 0) + 1
                known = kinds.get(alert.kind, AlertChange(alert.kind, 0, 0, ""))
                kinds[alert.kind] = known._replace(message=alert.message)
            for kind, count in counts.items():
                known = kinds[kind]
                kinds[kind] = known._replace(
                    base=known.base if which else max(known.base, count),
                    new=max(known.new, count) if which else known.new,
                )
    return sorted(kinds.values(), key=lambda row: (row.base == row.new, row.kind))
