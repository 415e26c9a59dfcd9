"""What a bench has come to: what every output is written from, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.scenarios.bench.answer import BenchAnswer
    from perftui.scenarios.bench.bench import Bench
    from perftui.scenarios.bench.budget import BudgetLine
    from perftui.scenarios.bench.keep import KeptRecording

GATE_FAILED, INCONCLUSIVE = 1, 3


@dataclass(frozen=True, slots=True)
class BenchReport:
    """See the module."""

    bench: Bench
    found: BenchAnswer
    budget: tuple[BudgetLine, ...] = ()
    diagnosis: tuple[str, ...] = ()
    """What the cold start consists of."""
    drift: tuple[str, ...] = ()
    """What has got worse since the oldest accepted baseline."""
    kept: tuple[KeptRecording, ...] = ()
    calibrated: bool = False
    strict: bool = False

    @property
    def exit_code(self) -> int:
        """1: a figure regressed, now or in small steps, or a bound is broken; 3: it could not be
        told."""
        word = self.found.verdict
        if self.calibrated:
            return 0
        if self.drift or any(line.outcome == "FAIL" for line in self.budget):
            return GATE_FAILED
        if word == "regressed" or (self.strict and word == "suspect"):
            return GATE_FAILED
        unknown = any(line.outcome == "unknown" for line in self.budget)
        return INCONCLUSIVE if word == "inconclusive" or unknown else 0
