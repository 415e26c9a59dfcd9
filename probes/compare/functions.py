"""Which functions gained and lost: share of the sampled time, seconds, memory.

A function is named only if its share of the sampled time and its seconds move the same way, each
by the least effect or more. Where one function takes longer, the shares of all others fall
though nothing happened to them; where a run is longer, the seconds of all rise. Neither alone
tells what changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.compare.confidence import (
    LEAST_BLOCKS,
    Estimate,
    Interval,
    chance_of_equal,
    discoveries,
    interval_of,
    mean_of,
    ratio_of_sums,
)
from perftui.probes.profile.difference import ComparedStacks, difference
from perftui.probes.profile.memory.growth import unsure_functions
from perftui.probes.profile.same_file import paired_places, place_key
from perftui.probes.profile.sums import payer_of
from perftui.probes.spine.calltree import ROOT
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perftui.probes.compare.facts import RunFacts
    from perftui.probes.profile.difference import Difference, FunctionDiff
    from perftui.probes.spine.reader import ThreadTree

LEAST_SHARE = 0.01
"""Of the sampled time, and of the length of the longer range: less is not told as a change."""
LEAST_S = 0.05
LEAST_BYTES = 5 * 1024 * 1024
WORK_PART = 0.25
"""If CPU changed by less than this part of itself and of the change of time, that was waiting."""
CPU_STEP_S = 0.02
"""CPU of a thread is read a few times a second, in steps of 10 ms."""
BLOCK_S = 10.0
MOST_BLOCKS = 60

Word = Literal["gained", "lost", ""]
Basis = Literal["runs", "blocks", "nothing"]
Key = tuple[str, str]


class Cost(NamedTuple):
    """What a function cost on one side: of several runs the medians."""

    self_s: float
    total_s: float
    self_share: float
    """Of the sampled time, 0..1."""
    total_share: float
    self_per_s: float
    """Seconds per second of the range."""
    total_per_s: float
    self_cpu_s: float
    grown_bytes: float


NO_COST = Cost(0, 0, 0, 0, 0, 0, 0, 0)


class FunctionChange(NamedTuple):
    """One function on both sides."""

    function: str
    file: str
    line: int
    module: str
    base: Cost
    new: Cost
    word: Word
    """What became of its own time."""
    memory: Word
    """What became of the memory that grew in it."""
    sure: bool | None
    """Whether the change of its own share stands out of the noise; None if that was not tested."""
    interval: Interval | None
    """95 % of the change of its own share, 0..1."""

    memory_unsure: bool = False
    """No samples met it touching that memory, on a side at least: it may have been another one."""

    @property
    def state(self) -> Literal["new", "vanished", "both"]:
        """On which sides it was seen."""
        if not self.base.total_s:
            return "new"
        return "both" if self.new.total_s else "vanished"

    @property
    def share(self) -> float:
        """Change of its own share."""
        return self.new.self_share - self.base.self_share

    @property
    def seconds(self) -> float:
        """Change of its own time."""
        return self.new.self_s - self.base.self_s

    @property
    def waited(self) -> bool:
        """Whether its time changed and its CPU time did not: it waited, or the machine was busy."""
        cpu = self.new.self_cpu_s - self.base.self_cpu_s
        most = max(self.new.self_cpu_s, self.base.self_cpu_s)
        least = max(WORK_PART * min(abs(self.seconds), most), CPU_STEP_S)
        return bool(self.word) and abs(cpu) <= least

    @property
    def bytes(self) -> float:
        """Change of the memory that grew in it."""
        return self.new.grown_bytes - self.base.grown_bytes


@dataclass(frozen=True, slots=True)
class FunctionChanges:
    """All functions of both sides, the largest change of own time first."""

    rows: tuple[FunctionChange, ...]
    flame: Difference
    """Of the two runs that stand for their sides."""
    basis: Basis
    """What `sure` rests on."""
    blocks: tuple[int, int]
    """Into how many blocks of time each side can be cut."""

    @property
    def can_be_tested(self) -> bool:
        """Whether there is noise to be read off that has not been."""
        return self.basis == "nothing" and min(self.blocks) >= LEAST_BLOCKS


def function_changes(
    base: Sequence[RunFacts],
    new: Sequence[RunFacts],
    pair: tuple[RunFacts, RunFacts],
    *,
    test: bool = True,
) -> FunctionChanges:
    """Compare what ran.

    Args:
        base: Runs of one side.
        new: Runs of the other.
        pair: The two runs that stand for their sides.
        test: Look for the noise within single runs too, which reads them block by block.
    """
    flame = difference(_side(pair[0]), _side(pair[1]))
    partners = paired_places(_places(pair[0]), _places(pair[1]))
    costs: list[list[dict[Key, Cost]]] = [[], []]
    about: dict[Key, FunctionDiff] = {}
    for which, runs in enumerate((base, new)):
        for run in runs:
            laid = flame if run is pair[which] else _against(run, pair, which)
            rows: dict[Key, Cost] = {}
            for row in laid.functions:
                key = _key(row.function, row.file, partners)
                rows[key] = _cost(laid, row, which)
                about[key] = row
            costs[which].append(rows)
    basis, tested, blocks = _tested(base, new, pair, costs, partners, test=test)
    least_s = max(LEAST_S, LEAST_SHARE * max(run.duration_s for run in pair))
    samples = (_samples(base), _samples(new))
    unsure = {
        _key(*function, partners)
        for run in pair
        for function in unsure_functions(run.reader.tree, run.stacks)
    }
    changes = []
    chances: list[float] = []
    for key, row in about.items():
        before, after = (_middle([run.get(key, NO_COST) for run in side]) for side in costs)
        pair_of = tested(key) if tested is not None else None
        changes.append(
            FunctionChange(
                row.function,
                row.file,
                row.line,
                row.module,
                before,
                after,
                _word(before, after, least_s, samples),
                _memory_word(before, after),
                None,
                interval_of(*pair_of) if pair_of is not None else None,
                key in unsure,
            )
        )
        chances.append(chance_of_equal(*pair_of) if pair_of is not None else 1.0)
    if tested is not None:
        changes = [
            change._replace(sure=told)
            for change, told in zip(changes, discoveries(chances), strict=True)
        ]
    changes.sort(
        key=lambda c: (not c.word, c.waited, -abs(c.seconds), -abs(c.share), c.function, c.file)
    )
    return FunctionChanges(tuple(changes), flame, basis, blocks)


def _side(run: RunFacts) -> ComparedStacks:
    return ComparedStacks(run.reader.tree, run.stacks, run.span[1] - run.span[0])


def _against(run: RunFacts, pair: tuple[RunFacts, RunFacts], which: int) -> Difference:
    """Lay a run over the one that stands for the other side, for the sake of equal names."""
    if which == 0:
        return difference(_side(run), _side(pair[1]))
    return difference(_side(pair[0]), _side(run))


def _cost(laid: Difference, row: FunctionDiff, which: int) -> Cost:
    own, total = laid.delta(row.self_, "wall"), laid.delta(row.total, "wall")
    mine, whole = (row.self_.new, row.total.new) if which else (row.self_.base, row.total.base)
    return Cost(
        mine.wall_ns / NS_PER_S,
        whole.wall_ns / NS_PER_S,
        own.new_share if which else own.base_share,
        total.new_share if which else total.base_share,
        own.new_per_s if which else own.base_per_s,
        total.new_per_s if which else total.base_per_s,
        mine.cpu_ns / NS_PER_S,
        max(mine.grown_bytes, 0),
    )


def _middle(costs: Sequence[Cost]) -> Cost:
    return costs[0] if len(costs) == 1 else Cost(*map(median, zip(*costs, strict=True)))


def _samples(runs: Sequence[RunFacts]) -> float:
    """Return about how many stacks were taken on a side, 1 at least."""
    rates = [run.place.rate_hz or run.reader.status().stack_rate_hz or 0.0 for run in runs]
    return max(sum(r.sampled_ns / NS_PER_S * hz for r, hz in zip(runs, rates, strict=True)), 1.0)


def _word(base: Cost, new: Cost, least_s: float, samples: tuple[float, float]) -> Word:
    seconds, share = new.self_s - base.self_s, new.self_share - base.self_share
    # Where there are few samples, counting them is noise of its own.
    counted = math.hypot(
        *(
            math.sqrt(side.self_share * (1 - min(side.self_share, 1)) / n)
            for side, n in zip((base, new), samples, strict=True)
        )
    )
    least_share = max(LEAST_SHARE, 2 * counted)
    if seconds >= least_s and share >= least_share:
        return "gained"
    if seconds <= -least_s and share <= -least_share:
        return "lost"
    return ""


def _memory_word(base: Cost, new: Cost) -> Word:
    change = new.grown_bytes - base.grown_bytes
    if abs(change) < max(LEAST_BYTES, 0.05 * base.grown_bytes):
        return ""
    return "gained" if change > 0 else "lost"


# -- noise -------------------------------------------------------------------------------------

_Pair = Callable[[Key], tuple[Estimate, Estimate]]


def _tested(
    base: Sequence[RunFacts],
    new: Sequence[RunFacts],
    pair: tuple[RunFacts, RunFacts],
    costs: Sequence[Sequence[Mapping[Key, Cost]]],
    partners: Mapping[str, str],
    *,
    test: bool,
) -> tuple[Basis, _Pair | None, tuple[int, int]]:
    """Find what noise can be read off: several runs, or blocks of time of single ones."""
    if len(base) > 1 and len(new) > 1:

        def of_runs(key: Key) -> tuple[Estimate, Estimate]:
            one, other = (
                mean_of([run.get(key, NO_COST).self_share for run in side]) for side in costs
            )
            return one, other

        return "runs", of_runs, (0, 0)
    counts = (block_count(pair[0].span), block_count(pair[1].span))
    if not test or min(counts) < LEAST_BLOCKS:
        return "nothing", None, counts
    sides = [
        _blocks(run, count, partners if which == 0 else {})
        for which, (run, count) in enumerate(zip(pair, counts, strict=True))
    ]

    def of_blocks(key: Key) -> tuple[Estimate, Estimate]:
        one, other = (
            ratio_of_sums([(rows.get(key, 0.0), whole) for rows, whole in side]) for side in sides
        )
        return one, other

    return "blocks", of_blocks, counts


def block_count(span: tuple[int, int]) -> int:
    """Return into how many blocks of 10 s or more a range is cut."""
    return min(int((span[1] - span[0]) / NS_PER_S // BLOCK_S), MOST_BLOCKS)


def _blocks(
    run: RunFacts, count: int, partners: Mapping[str, str]
) -> list[tuple[dict[Key, float], float]]:
    """Return each block's own time by function, and its whole."""
    t0, t1 = run.span
    tree = run.reader.tree
    kept = {(stack.pid, stack.tid) for stack in run.stacks}
    names: dict[int, Key] = {}
    found = []
    for number in range(count):
        edges = (t0 + (t1 - t0) * number // count, t0 + (t1 - t0) * (number + 1) // count)
        stacks: tuple[ThreadTree, ...] = run.reader.call_tree(*edges, kept)
        rows: dict[Key, float] = {}
        for stack in stacks:
            for node, weights in stack.self_by_node.items():
                key = names.get(node)
                if key is None:
                    frame = tree.frame(payer_of(tree, node))
                    key = names[node] = _key(frame.function, frame.file, partners)
                rows[key] = rows.get(key, 0.0) + weights.wall_ns
        found.append((rows, float(sum(stack.wall_ns for stack in stacks))))
    return found


def _places(run: RunFacts) -> set[str]:
    """Return where the code lies that ran."""
    tree = run.reader.tree
    files: set[str] = set()
    seen = {ROOT}
    for stack in run.stacks:
        for node in stack.self_by_node:
            while node not in seen:
                seen.add(node)
                files.add(tree.frame(node).file)
                node = tree.parent(node)
    return {place_key(file) for file in files}


def _key(function: str, file: str, partners: Mapping[str, str]) -> Key:
    place = place_key(file)
    return function, partners.get(place, place)
