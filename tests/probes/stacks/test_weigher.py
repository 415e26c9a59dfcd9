"""What each stack is given, from records whose sums are known."""

from __future__ import annotations

import random

from perftui.probes.spine.calltree import ROOT, CallTree
from perftui.probes.spine.records import Stack
from perftui.probes.stacks.own.weigher import ENDED, Weigher

MS = 1_000_000
PID, TID = 10, 11
WORK, WAIT, HOARD = 1, 2, 3
AMOUNTS = (
    *("cpu_ns", "wall", "sleep_ns", "lock_ns", "touched_bytes", "grown_bytes", "unsure_bytes"),
)


class Rss:
    """RSS that grows at a constant rate."""

    def __init__(self, per_s: float) -> None:
        self.per_s = per_s

    def value_at(self, t_ns: int) -> float:
        return 1e6 + self.per_s * t_ns / 1e9

    def values(self, t0_ns: int, t1_ns: int) -> list[tuple[int, float]]:
        return []


def reading(
    t_ms: float,
    until_ms: float,
    node: int,
    state: str,
    cpu_ms: float = 0,
    *,
    tid: int = TID,
    faults: int = 0,
    window: int | None = 0,
    wait: str = "",
    queue_ms: float = 0,
) -> Stack:
    return Stack(
        round(t_ms * MS),
        round(until_ms * MS),
        PID,
        tid,
        node,
        cpu_ns=round(cpu_ms * MS),
        run_queue_ns=round(queue_ms * MS),
        faults=faults,
        faults_in_window=window,
        state=state,
        gil_held=state == "R",
        wait=wait,
    )


def holding(t_ms: float, until_ms: float, node: int, state: str = "S", tid: int = TID) -> Stack:
    return Stack(round(t_ms * MS), round(until_ms * MS), PID, tid, node, state=state)


def totals(
    batches: list[list[Stack]], rss: Rss | None = None, tree: CallTree | None = None
) -> dict[int, dict[str, int]]:
    weigher = Weigher(page_bytes=4096)
    if tree is not None:
        weigher.know(tree)
    found: dict[int, dict[str, int]] = {}
    for batch in batches:
        for piece in weigher.weigh(batch, lambda _: None, rss):
            assert piece.t1_ns > piece.t0_ns
            sums = found.setdefault(piece.node, {})
            for name in AMOUNTS:
                sums[name] = sums.get(name, 0) + getattr(piece, name)
    return found


def test_a_poll_loop_gives_its_cpu_to_the_work_however_it_is_cut_into_batches() -> None:
    rows: list[Stack] = []
    t = 0.0
    for _ in range(60):
        # Work begins while nobody looks: its first CPU is found with its first reading.
        rows.append(reading(t, t + 6, WORK, "R", 4))
        rows.append(reading(t + 6, t + 40, WAIT, "S", 6, wait="sleep"))
        t += 40
    rows.append(holding(t, t + 0.001, WAIT, ENDED))
    rng = random.Random(3)
    for _ in range(5):
        batches: list[list[Stack]] = [[]]
        for row in rows:
            if rng.random() < 0.2:
                batches.append([])
            batches[-1].append(row)
        found = totals([batch for batch in batches if batch])
        assert sum(sums["cpu_ns"] for sums in found.values()) == 600 * MS
        assert found[WORK]["cpu_ns"] > 590 * MS
        assert abs(sum(sums["wall"] for sums in found.values()) - t * MS) < 41 * MS
        assert found[WAIT]["sleep_ns"] > 0.95 * found[WAIT]["wall"]


def test_a_thread_that_holds_on_goes_on_waiting() -> None:
    begin = [reading(0, 100, WAIT, "S", 1, wait="lock")]
    found = totals([begin, *([holding(t, t + 100, WAIT)] for t in range(100, 2000, 100))])
    assert found[WAIT]["lock_ns"] == found[WAIT]["wall"] - found[WAIT]["cpu_ns"] == 2000 * MS


def test_growth_goes_to_the_thread_that_faults() -> None:
    batches = [
        [
            reading(t, t + 50, WAIT, "S", 0.3, tid=11, faults=500, window=0, wait="sleep"),
            reading(t, t + 50, WORK, "R", 50, tid=12),
        ]
        for t in range(0, 4000, 50)
    ]
    found = totals(batches, Rss(40e6))
    assert found[WAIT]["grown_bytes"] > 110e6
    assert found[WORK]["grown_bytes"] == found[WORK]["touched_bytes"] == 0
    assert 70 * 500 * 4096 < found[WAIT]["touched_bytes"] <= 80 * 500 * 4096


def test_within_a_thread_the_stacks_that_were_met_faulting_have_the_faults() -> None:
    batches = []
    for n in range(1000):
        met = n % 20 == 0
        node = HOARD if met else WORK
        # The faults arrive with the next reading, in which other code runs already.
        batches.append(
            [reading(n * 10, n * 10 + 10, node, "R", 10, faults=256, window=40 if met else 0)]
        )
    batches.append([holding(10_000, 10_001, WORK, ENDED)])
    found = totals(batches)
    whole = sum(sums["touched_bytes"] for sums in found.values())
    assert whole == 1000 * 256 * 4096
    assert found[HOARD]["touched_bytes"] > 0.7 * whole


def test_where_few_readings_catch_any_faults_those_are_sure_and_the_others_are_not() -> None:
    batches = []
    for n in range(500):
        met = n % 125 == 60
        node = HOARD if met else WORK
        batches.append(
            [reading(n * 10, n * 10 + 10, node, "R", 10, faults=20, window=12 if met else 0)]
        )
    batches.append([reading(5_000, 6_000, WAIT, "S", 0, faults=40, window=40, wait="sleep")])
    batches.append([reading(6_000, 7_000, WAIT, "S", 0, faults=40, window=40, wait="sleep")])
    batches.append([holding(7_000, 7_001, WORK, ENDED)])
    found = totals(batches)
    assert sum(sums["touched_bytes"] for sums in found.values()) == 504 * 20 * 4096
    sure = {node: sums["touched_bytes"] - sums["unsure_bytes"] for node, sums in found.items()}
    assert {node: size for node, size in sure.items() if size} == {HOARD: 4 * 12 * 4096}


def test_what_was_never_met_is_given_out_when_the_thread_ends() -> None:
    found = totals(
        [
            [reading(0, 10, WAIT, "S", 2, wait="poll")],
            [reading(10, 20, WAIT, "S", 3, wait="poll"), holding(20, 21, WAIT, ENDED)],
        ]
    )
    assert sum(sums["cpu_ns"] for sums in found.values()) == 5 * MS


def places(tree: CallTree, *stacks: str) -> list[int]:
    """Return the nodes of stacks such as "main:3 keep:9", all in the program's own file."""
    nodes = []
    for stack in stacks:
        node = ROOT
        for frame in stack.split():
            function, _, line = frame.partition(":")
            node = tree.node_id(node, tree.frame_id(function, "/app/app.py", int(line)))
        nodes.append(node)
    return nodes


def naps(t: float, asleep: int, *, n: int = 60, met: int = 0, faults: int = 250) -> list[Stack]:
    """Return bursts of 0.3 ms between naps of 10 ms, of which one in ten is `met` at work."""
    rows = []
    for k in range(n):
        if met and k % 10 == 5:
            rows.append(reading(t + k * 10 - 0.1, t + k * 10, met, "R", 0.1, faults=faults // 2))
            rows.append(reading(t + k * 10, t + k * 10 + 9.9, asleep, "S", 0.2, faults=faults // 2))
        else:
            rows.append(reading(t + k * 10, t + k * 10 + 9.9, asleep, "S", 0.3, faults=faults))
    return [row._replace(wait="sleep") if row.state == "S" else row for row in rows]


def test_bursts_that_are_met_asleep_touch_what_the_code_between_the_naps_does() -> None:
    tree = CallTree()
    asleep, keeping, parsing = places(tree, "main:1 keep:9", "main:1 keep:8", "main:2 parse:3")
    batches, t = [], 0.0
    for _ in range(6):  # both within the same second, and parse() has most of its CPU
        batches.append(naps(t, asleep, n=40, met=keeping))
        t += 400
        batches.append(
            [reading(t + k * 10, t + k * 10 + 10, parsing, "R", 10, faults=1) for k in range(60)]
        )
        t += 600
    batches.append([holding(t, t + 1, parsing, ENDED)])
    found = totals(batches, Rss(30e6), tree)
    for weight in ("touched_bytes", "grown_bytes"):
        whole = sum(sums[weight] for sums in found.values())
        kept = found[keeping][weight] + found[asleep][weight]
        assert kept > 0.97 * whole > 0, weight
    assert sum(sums["touched_bytes"] for sums in found.values()) == 4096 * 6 * (40 * 250 + 60)


def test_who_sleeps_for_others_gets_nothing_of_what_they_touch() -> None:
    tree = CallTree()
    asleep, hoard = places(tree, "main:3 pause:7", "main:2 hoard:5")
    batches = [naps(k * 600.0, asleep, met=hoard) for k in range(4)]
    found = totals([*batches, [holding(2400, 2401, asleep, ENDED)]], tree=tree)
    whole = sum(sums["touched_bytes"] for sums in found.values())
    assert found[hoard]["touched_bytes"] > 0.99 * whole  # all but what came before the first nap
    assert found[hoard]["unsure_bytes"] > 0


def test_of_several_functions_that_no_reading_tells_apart_their_caller_gets_it_unsure() -> None:
    tree = CallTree()
    asleep, hoard, other, main = places(
        tree, "top:1 main:4", "top:1 main:2 hoard:5", "top:1 main:3 other:6", "top:1 main:2"
    )
    batches = [naps(k * 600.0, asleep, met=hoard if k % 2 else other) for k in range(8)]
    found = totals([*batches, [holding(4800, 4801, asleep, ENDED)]], tree=tree)
    whole = sum(sums["touched_bytes"] for sums in found.values())
    callers = {main, *places(tree, "top:1 main:3")}
    given = sum(found[node]["touched_bytes"] for node in callers if node in found)
    assert given > 0.7 * whole  # but for the first second, when only one of them had been met
    assert sum(sums["unsure_bytes"] for sums in found.values()) == whole


def test_what_is_met_where_its_faults_take_the_time_is_sure() -> None:
    tree = CallTree()
    (building,) = places(tree, "main:1 build:2")
    found = totals(
        [
            [reading(k * 10, k * 10 + 10, building, "R", 10, faults=5000) for k in range(300)],
            [holding(3000, 3001, building, ENDED)],
        ],
        tree=tree,
    )
    assert found[building]["touched_bytes"] == 300 * 5000 * 4096
    assert found[building]["unsure_bytes"] == 0


def test_a_function_met_everywhere_is_not_sure_of_the_few_faults_of_one_that_was_not() -> None:
    tree = CallTree()
    (computing,) = places(tree, "main:1 compute:2")
    found = totals(
        [
            [reading(k * 10, k * 10 + 10, computing, "R", 10, faults=25) for k in range(600)],
            [holding(6000, 6001, computing, ENDED)],
        ],
        tree=tree,
    )
    assert found[computing]["unsure_bytes"] == found[computing]["touched_bytes"] > 0


def test_what_was_used_in_bursts_under_half_a_millisecond_that_none_met_is_marked() -> None:
    weigher = Weigher()
    # Several bursts in one interval are as brief as they are in the mean.
    for length_ms, brief, marked in ((0.3, False, True), (0.8, False, False), (0.8, True, True)):
        rows: list[Stack] = []
        for n in range(300):
            met = n % 30 == 29
            node, state = (WORK, "R") if met else (WAIT, "S")
            cpu_ms = 0.1 if met else length_ms
            row = reading(n * 10, n * 10 + 10, node, state, cpu_ms, wait="" if met else "sleep")
            rows.append(row._replace(brief=brief and not met))
        rows.append(holding(3000, 3001, WAIT, ENDED))
        pieces = weigher.weigh(rows, lambda _: None, None)
        brief_ns = sum(piece.brief_ns for piece in pieces)
        cpu_ns = sum(piece.cpu_ns for piece in pieces)
        assert all(piece.brief_ns <= piece.cpu_ns for piece in pieces)
        assert (brief_ns > 0.8 * cpu_ns) if marked else brief_ns == 0


def test_tasks_of_one_program_have_a_common_caller_below_their_labels() -> None:
    tree = CallTree()
    (asleep,) = places(tree, "main:1 select:3")

    def in_task(name: str, *frames: str) -> int:
        node = tree.node_id(ROOT, tree.frame_id(f"task {name}", "", 0))
        for function in frames:
            node = tree.node_id(node, tree.frame_id(function, "/app/app.py", 1))
        return node

    hoard, compute = in_task("a", "main", "hoard"), in_task("b", "main", "compute")
    batches = [naps(k * 600.0, asleep, met=hoard if k % 2 else compute) for k in range(8)]
    found = totals([*batches, [holding(4800, 4801, asleep, ENDED)]], tree=tree)
    whole = sum(sums["touched_bytes"] for sums in found.values())
    by_function: dict[str, int] = {}
    for node, sums in found.items():
        name = tree.frame(node).function
        by_function[name] = by_function.get(name, 0) + sums["touched_bytes"]
    assert by_function["main"] > 0.7 * whole


def test_where_it_sleeps_it_is_not_at_work_though_it_has_the_gil_in_hand() -> None:
    tree = CallTree()
    asleep, hoard = places(tree, "work:3 wait:7", "work:4 hoard:5")
    rows = []
    for k in range(300):
        (row,) = naps(k * 10.0, asleep, n=1)
        rows.append(row._replace(gil_held=k % 3 == 0, faults_in_window=20 if k % 3 == 0 else 0))
        if k % 20 == 10:
            rows[-1] = reading(k * 10, k * 10 + 1, hoard, "R", 0.1, faults=100)
    found = totals([rows, [holding(3000, 3001, asleep, ENDED)]], tree=tree)
    whole = sum(sums["touched_bytes"] for sums in found.values())
    assert found[hoard]["touched_bytes"] > 0.95 * whole


def test_all_that_is_given_is_given_to_a_stack_however_short_a_thread_lives() -> None:
    rng = random.Random(5)
    for _ in range(300):
        rows, t = [], 0.0
        for _ in range(rng.choice((1, 1, 2, 3, 8))):
            state = rng.choice("RRSSD")
            wait = rng.choice(("", "lock", "poll", "gil", "sleep", "disk"))
            row = reading(t, t + 10, rng.choice((WORK, WAIT, HOARD)), state, rng.choice((0, 1, 9)))
            rows.append(row._replace(faults=rng.choice((0, 700)), faults_in_window=None, wait=wait))
            t += 10
        rows[0] = rows[0]._replace(faults=500, gil_held=rng.random() < 0.5)
        found = totals([[*rows, holding(t, t + 0.001, WAIT, ENDED)]])
        assert set(found) <= {WORK, WAIT, HOARD}
        faults = sum(row.faults or 0 for row in rows)
        assert sum(sums["touched_bytes"] for sums in found.values()) == faults * 4096
