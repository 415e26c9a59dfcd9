"""2: the cold start of query engines."""

from __future__ import annotations

from statistics import median
from typing import Any, NamedTuple

from perftui.probes.text.units import format_seconds
from perftui.scenarios.engines.budget import BudgetCheck, checked, parse_budget
from workload_report.markdown import named, percent, spread, table, times
from workload_report.measuring import Collected
from workload_report.section import Data, Section

BUDGET = "import=50ms,cold=100ms,ratio=10"


def measure(quick: bool) -> Data:
    """Run all engines, with and without a warm-up, interleaved."""
    collected = Collected()
    collected.run(
        "cold-start",
        engines="duckdb,polars" if quick else "all",
        repeats=2 if quick else 5,
        warmup="both",
        budget=BUDGET,
    )
    return {**collected.data(), "budget": BUDGET}


class _Engine(NamedTuple):
    name: str
    cold: list[dict[str, Any]]
    warmed: list[dict[str, Any]]

    def middle(self, cell: str, *, warmed: bool = False) -> float:
        return float(median(row[cell] for row in (self.warmed if warmed else self.cold)))

    @property
    def ratio(self) -> float:
        return self.middle("first_s") / self.middle("warm_s")

    @property
    def saved_s(self) -> float:
        return self.middle("first_s") - self.middle("first_s", warmed=True)


def _engines(data: Data) -> list[_Engine]:
    names = dict.fromkeys(row["engine"] for row in data["figures"])
    rows = data["figures"]
    return [
        _Engine(
            name,
            [row for row in rows if row["engine"] == name and not row["warmed"]],
            [row for row in rows if row["engine"] == name and row["warmed"]],
        )
        for name in names
    ]


def write(data: Data) -> str:
    """Three tables: the steps, the budget, the warm-up."""
    engines = _engines(data)
    steps = table(
        (
            *("engine", "import", "spread", "modules", "connect", "first query", "spread"),
            *("modules", "second", "warm median", "first/warm"),
        ),
        [
            (
                engine.name,
                format_seconds(engine.middle("import_s")),
                percent(spread([row["import_s"] for row in engine.cold])),
                str(engine.cold[0]["import_modules"]),
                format_seconds(engine.middle("connect_s")),
                format_seconds(engine.middle("first_s")),
                percent(spread([row["first_s"] for row in engine.cold])),
                str(engine.cold[0]["first_modules"]),
                format_seconds(engine.middle("second_s")),
                format_seconds(engine.middle("warm_s")),
                times(engine.ratio),
            )
            for engine in engines
        ],
    )
    bounds = parse_budget(data["budget"])
    verdicts = {engine.name: _checks(engine, data["budget"]) for engine in engines}
    budget = table(
        (
            "engine",
            f"import < {format_seconds(bounds.import_s or 0)}",
            f"cold < {format_seconds(bounds.cold_s or 0)}",
            f"first/warm < {bounds.ratio:g}",
            "budget",
        ),
        [
            (
                name,
                *(_figure(check) for check in checks),
                "pass" if all(check.passed for check in checks) else "FAIL",
            )
            for name, checks in verdicts.items()
        ],
    )
    warm_up = table(
        ("engine", "warm-up takes", "first query without", "with", "saved"),
        [
            (
                engine.name,
                format_seconds(median(row["warm_up_s"] for row in engine.warmed)),
                format_seconds(engine.middle("first_s")),
                format_seconds(engine.middle("first_s", warmed=True)),
                format_seconds(engine.saved_s),
            )
            for engine in engines
        ],
    )
    n = len(engines[0].cold)
    return "\n\n".join(
        (
            _says(engines, verdicts),
            steps,
            f"Medians of {n} fresh processes per engine and kind; spread: largest less smallest, "
            "as a share of the median. Modules: imported in that step.",
            "Against the budget; cold is from the imported engine to its first answer, with "
            "connecting:",
            budget,
            "What asking something small beforehand saves, while nobody waits:",
            warm_up,
        )
    )


def _checks(engine: _Engine, budget: str) -> list[BudgetCheck]:
    cold_s = median(row["connect_s"] + row["first_s"] for row in engine.cold)
    return checked(parse_budget(budget), engine.middle("import_s"), cold_s, engine.ratio)


def _figure(check: BudgetCheck) -> str:
    text = times(check.value) if check.name == "ratio" else format_seconds(check.value)
    return f"{text} {'pass' if check.passed else 'FAIL'}"


def _says(engines: list[_Engine], verdicts: dict[str, list[BudgetCheck]]) -> str:
    slowest = max(engines, key=lambda engine: engine.middle("import_s"))
    worst = max(engines, key=lambda engine: engine.ratio)
    passing = [name for name, checks in verdicts.items() if all(check.passed for check in checks)]
    kept = f"{named(passing)} keep to the budget" if passing else "no engine keeps to the budget"
    if len(passing) == 1:
        kept = f"only {passing[0]} keeps to the budget"
    moved = worst.cold[0]["first_modules"]
    hidden = f", which imports {moved} modules inside it" if moved >= 10 else ""
    helped = max(engines, key=lambda engine: engine.saved_s)
    return (
        f"{slowest.name} has the longest import ({format_seconds(slowest.middle('import_s'))}); "
        f"the first query against a warm one is worst in {worst.name} ({times(worst.ratio)})"
        f"{hidden}. Of {len(engines)} engines, {kept}; a warm-up helps {helped.name} most: it "
        f"takes {format_seconds(helped.saved_s)} off the first query."
    )


SECTION = Section("2", "Cold start of query engines", measure, write)
