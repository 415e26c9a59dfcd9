"""When what was asked for has happened: at the edge, and again after it was over."""

from __future__ import annotations

from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enriched import Batch, Reading, Tick
from perftui.probes.spine.records import Alert, Metric, Record
from perftui.probes.spine.weighed import WeighedStack
from perftui.probes.watch.conditions import Conditions
from perftui.probes.watch.ended import End
from perftui.probes.watch.expression import parse_when

S = 1_000_000_000


def tick(second: float, **sums: float) -> Batch:
    t_ns = round(second * S)
    return Batch((), (), [Tick(t_ns, (Reading(Metric(t_ns, 1, 0.0, 1), None),), sums, {})])


def said(when: str, batches: list[Batch]) -> list[tuple[float, str]]:
    conditions = Conditions(parse_when(when), CallTree())
    return [(e.t_ns / S, e.words) for batch in batches for e in conditions.take(batch)]


def test_a_line_is_crossed_once_until_the_figure_has_come_back() -> None:
    sizes = [1.0, 2.1, 2.2, 1.97, 2.1, 1.8, 2.3]  # 1.97 is not far enough below the line
    batches = [tick(second, rss_bytes=size * 1e9) for second, size in enumerate(sizes)]
    assert said("rss>2GB", batches) == [
        (1.0, "rss>2GB: 2.10 GB"),
        (6.0, "rss>2GB: 2.30 GB"),
    ]


def test_for_so_long_means_without_a_break() -> None:
    loads = [190, 190, 20, 190, 190, 190, 190]
    batches = [tick(second, cpu_percent=load) for second, load in enumerate(loads)]
    assert said("cpu>150% for 2s", batches) == [(5.0, "cpu>150% for 2s: 190 % for 2.00 s")]


def test_a_figure_that_nobody_knows_crosses_nothing() -> None:
    assert said("pss<1GB", [tick(0, rss_bytes=1.0)]) == []
    assert said("processes>0", [tick(0)]) == [(0.0, "processes>0: 1")]


def test_an_alert_counts_when_it_is_raised_and_when_it_gets_worse() -> None:
    raised = Alert("mem_growth", "info", S, 2 * S, None, "rises", "")
    steps: list[Record] = [
        raised,
        raised._replace(severity="warn"),
        raised._replace(severity="warn", message="rises more"),
        raised._replace(severity="critical"),
        raised._replace(severity="critical", t_clear_ns=9 * S),
    ]
    batches = [Batch((), (step,)) for step in steps]
    assert [words for _, words in said("alert", batches)] == ["warn: mem growth: rises"]
    assert [words for _, words in said("alert>=critical", batches)] == [
        "critical: mem growth: rises"
    ]
    assert said("alert==io_wait", batches) == []


def test_how_it_ended_and_in_doubt_it_is_told() -> None:
    conditions = Conditions(parse_when("exit!=0"), CallTree())
    assert not list(conditions.ended(0, End(0, None)))
    for end in (End(3, None), End(None, 9), End(None, None)):
        assert [e.words for e in conditions.ended(0, end)] == [f"it ended: {end.words()}"]
    (killed,) = Conditions(parse_when("exit==137"), CallTree()).ended(0, End(None, 9, True))
    assert "want of memory" in killed.words


def stood(tree: CallTree, frames: list[tuple[str, str]], seconds: int, **ns: int) -> list[Batch]:
    node = tree.intern([tree.frame_id(name, file, 7) for name, file in frames])
    return [
        Batch(
            (),
            (),
            weighed=[
                WeighedStack(n * S, (n + 1) * S, (1, 1), node, 0, 0, False, 0.0, wall_ns=S, **ns)
            ],
        )
        for n in range(seconds)
    ]


def test_a_stall_is_a_wait_in_the_programs_own_code_and_no_rest() -> None:
    library = "/usr/lib/python3.12/"
    own = ("handle", "/srv/app.py")
    loop = ("Handle._run", library + "asyncio/events.py")
    cases = [
        ([own], {"lock_ns": S}, "stall of 5.00 s: handle app.py:7 waits for a lock"),
        (
            [own, ("SSLSocket.read", library + "ssl.py")],
            {"io_ns": S},
            "stall of 5.00 s: handle app.py:7 waits for I/O",
        ),
        (
            [loop, own],
            {"sleep_ns": S},
            "stall of 5.00 s: handle app.py:7 does not come back in a callback of the event loop",
        ),
        ([own], {"sleep_ns": S}, None),  # it was asked for
        ([own], {}, None),  # at work
        ([own, ("Condition.wait", library + "threading.py")], {"lock_ns": S}, None),
        ([loop, ("Selector.select", library + "selectors.py")], {"io_ns": S}, None),
    ]
    for frames, ns, words in cases:
        tree = CallTree()
        conditions = Conditions(parse_when("stall>5s"), tree)
        batches = stood(tree, frames, 9, **ns)
        told = [event.words for batch in batches for event in conditions.take(batch)]
        assert told == ([] if words is None else [words])
