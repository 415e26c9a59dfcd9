"""Three answers to who makes memory grow, each by its own evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.memory.blame import keepers_of, rises_of
from perftui.probes.profile.memory.blame_words import UNNAMED, evidence_words
from perftui.probes.profile.memory.growth import (
    ALONE,
    CANNOT_TELL,
    IMPORTS,
    NATIVE,
    SURE,
    WAITED_FOR,
    grown_by_function,
    unsure_functions,
)
from perftui.probes.profile.memory.settled import MEASURED, where_it_rose
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import Blame, ThreadTree, Weights
from perftui.probes.spine.records import GrowthLook, Keeper, Rise

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = "/app/etl.py"
MB = 1_000_000
S = 1_000_000_000


class Program:
    """A call tree and what threads cost in it."""

    def __init__(self) -> None:
        self.tree = CallTree()
        self.threads: list[ThreadTree] = []

    def thread(self, tid: int, name: str, *cells: tuple[tuple[str, ...], int, int, int]) -> None:
        """Add a thread: (functions outermost first, grown, touched, unsure) for each place."""
        by_node = {}
        for names, grown, touched, unsure in cells:
            ids = [self.tree.frame_id(each, FILE, 10 * len(each)) for each in names]
            by_node[self.tree.intern(ids)] = Weights(
                10**9, 10**8, grown, 0, touched_bytes=touched, unsure_bytes=unsure
            )
        grown = sum(cell.grown_bytes for cell in by_node.values())
        self.threads.append(ThreadTree(1, tid, name, 10**9, 10**8, grown, by_node, ""))

    def call_tree(self, t0_ns: int, t1_ns: int) -> Sequence[ThreadTree]:
        return self.threads


def test_what_was_met_touching_is_said_of_its_thread() -> None:
    program = Program()
    program.thread(1, "cache", (("fill",), 90 * MB, 90 * MB, 0))
    program.thread(2, "maths", (("burn",), 0, 0, 0))
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.row.function, row.thread, row.confidence) == ("fill", "cache", SURE)
    assert row.within == ()


def test_functions_of_a_thread_that_no_sample_tells_apart_are_named() -> None:
    program = Program()
    program.thread(
        1,
        "MainThread",
        (("work", "hoard"), 2 * MB, 2 * MB, 2 * MB),
        (("work", "churn"), 50 * MB, 50 * MB, 50 * MB),
    )
    rows = grown_by_function(program.tree, program.threads)
    assert {row.confidence for row in rows} == {CANNOT_TELL}
    assert set(rows[0].within) == {"hoard", "churn", "work"}


def test_those_are_named_first_that_readings_caught_touching() -> None:
    program = Program()
    program.thread(
        1,
        "serve",
        (("serve",), 20 * MB, 20 * MB, 20 * MB),
        (("serve", "render"), 79 * MB, 79 * MB, 79 * MB),
        (("serve", "remember"), 1 * MB, 1 * MB, 0),
    )
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.row.function, row.confidence) == ("remember", CANNOT_TELL)
    assert row.within == ("remember", "serve", "render")


def test_one_function_alone_in_its_thread_needs_no_sample_that_met_it() -> None:
    program = Program()
    program.thread(1, "cache", (("fill",), 90 * MB, 90 * MB, 90 * MB))
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.row.function, row.confidence) == ("fill", ALONE)


def test_a_comprehension_is_code_of_its_function() -> None:
    program = Program()
    inner = "fetch.<locals>.<listcomp>"
    program.thread(
        1,
        "fetch_0",
        (("fetch",), 10 * MB, 10 * MB, 10 * MB),
        (("fetch", inner), 80 * MB, 80 * MB, 80 * MB),
    )
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.row.function, row.confidence, row.within) == ("fetch", ALONE, ("fetch",))
    # One that is used up elsewhere.
    program.threads = []
    program.thread(1, "t", (("pull", "rows.<locals>.<genexpr>"), 80 * MB, 80 * MB, 80 * MB))
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.row.function, row.confidence) == ("rows", CANNOT_TELL)
    assert row.within == ("rows", "pull")


def test_a_library_that_was_met_is_not_blamed_for_what_no_sample_met() -> None:
    program = Program()
    program.thread(1, "fetch", (("fetch",), 10 * MB, 10 * MB, 10 * MB))
    (thread,) = program.threads
    ids = [program.tree.frame_id("notify", "/usr/lib/python3.13/threading.py", 9)]
    weights = Weights(10**9, 10**8, 90 * MB, 0, touched_bytes=90 * MB, unsure_bytes=90 * MB)
    cells = {**thread.self_by_node, program.tree.intern(ids): weights}
    program.threads = [thread._replace(self_by_node=cells, grown_bytes=100 * MB)]
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.row.function, row.row.self_.grown_bytes) == ("fetch", 100 * MB)
    assert row.confidence == ALONE
    program.threads = [thread._replace(self_by_node={program.tree.intern(ids): weights})]
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.row.function, row.confidence) == ("notify", CANNOT_TELL)


def test_it_is_not_alone_where_another_function_ran_that_touched_nothing_so_far() -> None:
    program = Program()
    program.thread(1, "MainThread", (("<module>",), 60 * MB, 60 * MB, 60 * MB))
    (thread,) = program.threads
    ids = [program.tree.frame_id("encode", FILE, 9)]
    ran = {program.tree.intern(ids): Weights(10**6, 0, 0, 0, queue_ns=10**6)}
    program.threads = [thread._replace(self_by_node=thread.self_by_node | ran)]
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.confidence, row.within) == (CANNOT_TELL, ("<module>", "encode"))


def test_modules_that_are_imported_have_a_row_of_their_own() -> None:
    program = Program()
    program.thread(1, "MainThread", (("<module>", "fill"), 30 * MB, 30 * MB, 0))
    (thread,) = program.threads
    machinery = program.tree.frame_id("_find_and_load", "<frozen importlib._bootstrap>", 9)
    library = program.tree.frame_id("<module>", "/x/site-packages/pandas/__init__.py", 2)
    outer = program.tree.frame_id("<module>", FILE, 3)
    # Libraries are mapped: RSS rises by more than a page for a fault, without huge pages.
    imports = {
        program.tree.intern([outer, machinery, library]): Weights(
            10**9, 10**8, 80 * MB, 0, touched_bytes=20 * MB, unsure_bytes=20 * MB
        )
    }
    program.threads = [thread._replace(self_by_node=thread.self_by_node | imports)]
    first, second = grown_by_function(program.tree, program.threads)
    assert (first.confidence, first.row.self_.grown_bytes) == (IMPORTS, 80 * MB)
    assert (second.row.function, second.confidence, second.why) == ("fill", SURE, "")


def _caught(*counts: tuple[str, int], touched: int = 90 * MB, grown: int = 90 * MB) -> Program:
    """A thread whose memory was given to the caller of all; a few readings caught who touched."""
    program = Program()
    cells = [(("work",), grown, touched, touched)]
    cells += [(("work", name), 0, n * 200_000, 0) for name, n in counts]
    program.thread(1, "MainThread", *cells)
    (thread,) = program.threads
    times = dict(counts)
    by_node = {
        node: cell._replace(catches=times.get(program.tree.frame(node).function, 0))
        for node, cell in thread.self_by_node.items()
    }
    program.threads = [thread._replace(self_by_node=by_node)]
    return program


def test_readings_that_caught_one_function_tell_of_all_that_its_thread_touched() -> None:
    program = _caught(("hoard", 5))
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.row.function, row.confidence, row.within) == ("hoard", SURE, ())
    assert row.row.self_.grown_bytes == 90 * MB
    program = _caught(("hoard", 4))
    (row,) = grown_by_function(program.tree, program.threads)
    assert row.confidence == CANNOT_TELL
    program = _caught(("hoard", 20), ("churn", 4))
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.row.function, row.confidence) == ("hoard", SURE)
    program = _caught(("hoard", 20), ("churn", 4), touched=150 * MB)  # 60 MB of it were freed
    (row,) = grown_by_function(program.tree, program.threads)
    assert row.confidence == CANNOT_TELL
    program = _caught(("hoard", 7), ("churn", 5))
    (row,) = grown_by_function(program.tree, program.threads)
    assert row.confidence == CANNOT_TELL


def test_where_most_was_freed_it_takes_more_readings() -> None:
    # Five leave another function with up to 45 % of what was touched, all of what was kept.
    for n, told in ((5, False), (40, True)):
        program = _caught(("load", n), grown=30 * MB)
        rows = grown_by_function(program.tree, program.threads)
        assert (rows[0].confidence == SURE) is told


def _look_by_exits(*rises: tuple[str, int, int], note: str = "", rose: int = 0) -> Blame:
    rows = [Rise(4 * S, 1, S, name, FILE, 9, 50, rss, touched) for name, rss, touched in rises]
    looks = (
        GrowthLook(4 * S, 1, S, "census", rose, 9, 9, 9, "", 0),
        GrowthLook(4 * S, 1, S, "entry and exit", None, 9, 9, 9, note, len(rows)),
    )
    return Blame(looks, (), tuple(rows))


def _keeper(code: str, bytes_: int, total: int = 100, entries: int = 50) -> Keeper:
    fills = f"{code}\t{FILE}\t9"
    return Keeper(4 * S, 1, S, "app.kept", "list", "bytes", entries, total, bytes_, False, fills)


def test_where_samples_cannot_tell_what_was_measured_inside_does() -> None:
    program = Program()
    program.thread(
        1,
        "MainThread",
        (("work", "hoard"), 2 * MB, 2 * MB, 2 * MB),
        (("work", "churn"), 50 * MB, 50 * MB, 50 * MB),
    )
    program.thread(2, "other", (("burn",), 0, 0, 0))

    def told(blame: Blame) -> tuple[str, str]:
        (row,) = where_it_rose(program.tree, program.threads, blame, program.call_tree)
        assert row.row.self_.grown_bytes == 52 * MB
        return row.row.function, row.confidence

    hoard = ("hoard", 30 * MB, 30 * MB)
    assert told(_look_by_exits(hoard, ("churn", MB, MB), rose=31 * MB)) == ("hoard", MEASURED)
    # Of calls that come often a part is measured: it stands for the look.
    part = _look_by_exits(("hoard", 3 * MB, 3 * MB), ("", 0, 0), rose=30 * MB)
    assert told(part) == ("hoard", MEASURED)
    # Too little of the growth was looked at, several rose, or it was in another thread.
    few = _look_by_exits(("hoard", 3 * MB, 3 * MB), rose=3 * MB)
    both = _look_by_exits(hoard, ("churn", 20 * MB, 20 * MB), rose=50 * MB)
    for blame in (few, both, _look_by_exits(("burn", 30 * MB, 30 * MB), rose=30 * MB)):
        assert told(blame)[1] == CANNOT_TELL


def test_a_hole_that_another_function_fills_is_no_growth_of_who_made_it() -> None:
    program = Program()
    program.thread(1, "MainThread", (("work",), 60 * MB, 60 * MB, 60 * MB))
    churn = _look_by_exits(("churn", 30 * MB, 30 * MB), ("hoard", 0, 0), rose=30 * MB)
    (row,) = where_it_rose(program.tree, program.threads, churn, program.call_tree)
    assert (row.row.function, row.confidence) == ("churn", MEASURED)
    part = churn.looks[0]._replace(note="only a part was looked at: 9 objects in 50 ms")
    unknown = churn._replace(looks=(part, churn.looks[1]))
    kept = churn._replace(keepers=(_keeper("hoard", 29 * MB),))
    (row,) = where_it_rose(program.tree, program.threads, unknown, program.call_tree)
    assert row.confidence != MEASURED
    (row,) = where_it_rose(program.tree, program.threads, kept, program.call_tree)
    assert row.confidence != MEASURED


def test_what_readings_met_is_doubted_where_another_function_keeps() -> None:
    program = Program()
    program.thread(
        1,
        "MainThread",
        (("work", "churn"), 60 * MB, 60 * MB, 0),
        (("work", "hoard"), 0, 0, 0),
        (("work", "store", "make"), 0, 0, 0),
    )
    program.thread(2, "other", (("keep",), 0, 0, 0))

    def told(fills: str) -> tuple[str, tuple[str, ...]]:
        blame = _look_by_exits(rose=30 * MB)._replace(keepers=(_keeper(fills, 29 * MB),))
        first, *_ = where_it_rose(program.tree, program.threads, blame, program.call_tree)
        return first.confidence, first.within

    assert told("hoard") == (CANNOT_TELL, ("churn", "hoard"))
    assert told("churn") == (SURE, ())
    # Who calls it may keep what it made, and so may another thread.
    assert told("work") == (SURE, ())
    assert told("keep") == (SURE, ())


def test_where_most_was_freed_it_is_told_if_it_fills_what_keeps() -> None:
    program = Program()
    program.thread(
        1,
        "MainThread",
        (("work", "load"), 50 * MB, 400 * MB, 400 * MB),
        (("work", "sum"), 0, 100 * MB, 100 * MB),
    )
    blame = _look_by_exits(("load", 20 * MB, 80 * MB), ("sum", 2 * MB, 20 * MB), rose=22 * MB)
    (row,) = where_it_rose(program.tree, program.threads, blame, program.call_tree)
    assert (row.confidence, row.why[:4]) == (CANNOT_TELL, "most")
    blame = blame._replace(keepers=(_keeper("load", 20 * MB),))
    (row,) = where_it_rose(program.tree, program.threads, blame, program.call_tree)
    assert (row.row.function, row.confidence, row.why) == ("load", MEASURED, "")


def test_what_no_sample_met_is_not_sure_where_the_program_has_no_function_either() -> None:
    program = Program()
    frame = program.tree.frame_id("<no Python frame>", "", 0, "native")
    cell = Weights(10**9, 10**8, 9 * MB, 0, touched_bytes=9 * MB, unsure_bytes=9 * MB)
    cells = {program.tree.intern([frame]): cell}
    program.threads.append(ThreadTree(1, 1, "MainThread", 10**9, 10**8, 9 * MB, cells, ""))
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.confidence, row.within) == (CANNOT_TELL, ())


def test_what_native_threads_touch_is_theirs_and_says_who_waits() -> None:
    program = Program()
    frame = program.tree.frame_id(f"{NATIVE} (tokio)", "", 0, "native")
    native = {program.tree.intern([frame]): Weights(0, 0, 90 * MB, 0, touched_bytes=90 * MB)}
    program.threads.append(ThreadTree(1, 7, "tokio", 0, 0, 90 * MB, native, ""))
    ids = [
        program.tree.frame_id("load", FILE, 3),
        program.tree.frame_id("read", "/x/site-packages/lance/l.py", 9),
    ]
    waits = {program.tree.intern(ids): Weights(10**9, 10**6, 0, 0)}
    program.threads.append(ThreadTree(1, 1, "MainThread", 10**9, 10**6, 0, waits, ""))
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.by, row.confidence) == ("page faults of native threads", WAITED_FOR)
    assert (row.thread, row.within) == ("tokio", ("load",))


def test_huge_pages_make_threads_undecided() -> None:
    program = Program()
    program.thread(1, "MainThread", (("fill",), 10 * MB, 1 * MB, 0))
    program.thread(2, "other", (("chat",), 90 * MB, 9 * MB, 0))
    rows = grown_by_function(program.tree, program.threads)
    assert {row.confidence for row in rows} == {CANNOT_TELL}
    assert rows[0].why.startswith("huge pages")


def test_where_most_was_freed_again_samples_cannot_tell_who_kept() -> None:
    program = Program()
    program.thread(
        1,
        "MainThread",
        (("work", "hoard"), 1 * MB, 20 * MB, 0),
        (("work", "churn"), 19 * MB, 400 * MB, 0),
    )
    rows = grown_by_function(program.tree, program.threads)
    assert rows[0].row.function == "churn"
    assert {row.confidence for row in rows} == {CANNOT_TELL}


def test_without_page_faults_nothing_is_sure() -> None:
    program = Program()
    program.thread(1, "MainThread", (("work",), 9 * MB, 0, 0))
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.by, row.confidence) == ("share of CPU (estimate)", CANNOT_TELL)


def keeper(t: int, entries: int, size: int, fills: str) -> Keeper:
    row = (t, 1, t - 3, "etl.CACHE", "dict", "DataFrame", entries, 200, size, False, fills)
    return Keeper(*row)


def test_what_is_kept_adds_up_and_names_the_code_that_touched_most() -> None:
    program = Program()
    program.thread(
        1,
        "MainThread",
        (("main", "enrich", "copy"), 0, 90 * MB, 0),
        (("main", "report"), 0, 1 * MB, 0),
    )
    fills = f"report\t{FILE}\t3\nenrich\t{FILE}\t7\nmain\t{FILE}\t1"
    blame = Blame((), (keeper(9, 40, 40 * MB, fills), keeper(19, 50, 50 * MB, fills)), ())
    (kept,) = keepers_of(blame, program.tree, program.call_tree)
    assert (kept.entries, kept.bytes, kept.total) == (90, 90 * MB, 200)
    assert kept.code is not None
    assert (kept.code.function, kept.code.line) == ("enrich", 60)


def test_several_that_may_have_filled_it_and_none_that_ran_is_nobody() -> None:
    program = Program()
    fills = f"report\t{FILE}\t3\nenrich\t{FILE}\t7"
    blame = Blame((), (keeper(9, 40, 40 * MB, fills),), ())
    assert keepers_of(blame, program.tree, program.call_tree)[0].code is None
    one = Blame((), (keeper(9, 40, 40 * MB, f"enrich\t{FILE}\t7\nnonsense"),), ())
    code = keepers_of(one, program.tree, program.call_tree)[0].code
    assert code is not None
    assert str(code) == "enrich etl.py:7"


def test_a_module_fills_its_globals_only_in_its_own_lines() -> None:
    fills = f"hoard\t{FILE}\t9\n<module>\t{FILE}\t1"
    keeper = Keeper(9, 1, 0, "__main__.KEPT", "list", "bytearray", 90, 90, 90 * MB, False, fills)
    blame = Blame((), (keeper,), ())

    def filler(*cells: tuple[tuple[str, ...], int]) -> str | None:
        program = Program()
        program.thread(1, "MainThread", *((names, b * MB, b * MB, 0) for names, b in cells))
        code = keepers_of(blame, program.tree, program.call_tree)[0].code
        return None if code is None else code.function

    # What it calls is nothing of its own, and `hoard` is too quick to be met.
    assert filler((("<module>", "compute"), 80), (("<module>",), 20)) == "hoard"
    assert filler((("<module>", "hoard"), 5), (("<module>", "churn"), 90)) == "hoard"
    assert filler((("<module>",), 80), (("<module>", "report"), 20)) == "<module>"


def test_rises_add_up_and_what_was_not_measured_is_last() -> None:
    rows = (
        Rise(9, 1, 6, "", "", 0, 0, 70 * MB, 0),
        Rise(9, 1, 6, "hoard", FILE, 3, 100, 20 * MB, 20 * MB),
        Rise(9, 1, 6, "churn", FILE, 5, 50, -4_096, 400 * MB),
        Rise(19, 1, 16, "hoard", FILE, 3, 100, 21 * MB, 20 * MB),
    )
    found = rises_of(Blame((), (), rows))
    assert [row.code.function if row.code else None for row in found] == ["hoard", "churn", None]
    assert (found[0].calls, found[0].rss_bytes) == (200, 41 * MB)


def test_an_alert_says_each_answer_with_its_question() -> None:
    program = Program()
    program.thread(
        1,
        "MainThread",
        (("work", "enrich"), 2 * MB, 2 * MB, 2 * MB),
        (("work", "churn"), 50 * MB, 50 * MB, 50 * MB),
    )
    rise = Rise(9, 1, 6, "enrich", FILE, 3, 100, 20 * MB, 20 * MB)
    blame = Blame((), (keeper(9, 40, 40 * MB, f"enrich\t{FILE}\t7"),), (rise,))
    said = evidence_words(program.tree, program.threads, blame, program.call_tree)
    within, measured, held = said.split("; ")
    assert within.startswith("touched by thread MainThread, within a sample of: churn")
    assert measured == "measured at entry and exit: enrich etl.py:3 +20.0 MB in 100 calls"
    assert held == "held by etl.CACHE dict of DataFrame +40, 40.0 MB ◀ enrich etl.py:60"


def test_an_alert_says_too_that_no_name_leads_to_what_is_kept() -> None:
    program = Program()
    program.thread(1, "MainThread", (("work",), 90 * MB, 90 * MB, 0))
    note = f"{UNNAMED} leads to it"
    look = GrowthLook(9, 1, 6, "census", 90 * MB, 5_000, 10**7, 10**6, note, 0)
    said = evidence_words(program.tree, program.threads, Blame((look,), (), ()), program.call_tree)
    assert said == note
    blame = Blame((look,), (keeper(9, 40, 40 * MB, ""),), ())
    said = evidence_words(program.tree, program.threads, blame, program.call_tree)
    assert UNNAMED not in said


def test_who_was_met_touching_most_is_told_though_of_the_rest_nobody_is() -> None:
    program = Program()
    program.thread(
        1,
        "MainThread",
        (("work", "hoard"), 60 * MB, 60 * MB, 0),
        (("work",), 40 * MB, 40 * MB, 40 * MB),
        (("work", "compute"), 0, 0, 0),
    )
    first, second = grown_by_function(program.tree, program.threads)
    assert (first.row.function, first.confidence, first.within) == ("hoard", SURE, ())
    assert (second.row.function, second.confidence) == ("work", CANNOT_TELL)
    assert unsure_functions(program.tree, program.threads) == {("work", FILE)}


def test_what_a_caller_is_given_may_be_of_all_that_ran_in_it() -> None:
    program = Program()
    program.thread(
        1,
        "MainThread",
        (("top", "work"), 90 * MB, 90 * MB, 90 * MB),
        (("top", "work", "hoard"), 0, 0, 0),
        (("top", "work", "steps", "compute"), 0, 0, 0),
        (("top", "beside"), 0, 0, 0),
    )
    (row,) = grown_by_function(program.tree, program.threads)
    assert (row.row.function, row.confidence) == ("work", CANNOT_TELL)
    assert {"work", "hoard", "compute"} <= set(row.within)
    assert "beside" not in row.within
