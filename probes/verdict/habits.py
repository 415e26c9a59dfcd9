"""What a hot line does that is known to cost, and what to do instead.

Told by the library's functions on the stacks, or, of what C does without a frame of its own
(`to_pylist`, a compiled pattern), by the words of the program's line: a hint, that says "if". What
a library does in Python has frames: where they are missing, another call of that line took it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.spine.calltree import ROOT, package_of
from perftui.probes.text.source_lines import SOURCE
from perftui.probes.verdict.places import leaves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.reader import ThreadTree
    from perftui.probes.verdict.places import Key, Spots

LEAST_SHARE = 0.5
"""Of what a function spent."""


class Habit(NamedTuple):
    """Something that costs more than it seems."""

    what: str
    """It, in the words of a finding: "most of it in iterrows"."""
    step: str
    """What to do about it."""
    frames: frozenset[tuple[str, str]] = frozenset()
    """(package, function); "" for any function of the package."""
    line: str = ""
    """A regular expression of the line."""
    fields: tuple[str, ...] = ("cpu_ns",)
    """Fields of `Weights` that it spends."""


def _of(package: str, *functions: str) -> frozenset[tuple[str, str]]:
    return frozenset((package, function) for function in functions or ("",))


_WAITS = ("cpu_ns", "wall_ns", "waiting_ns", "io_ns", "lock_ns")

HABITS = (
    Habit(
        "iterrows",
        "work on columns: iterrows makes a Series of every row",
        _of("pandas", "iterrows"),
    ),
    Habit(
        "apply",
        "use what pandas has for whole columns: apply calls Python for each row or value",
        _of("pandas", "apply", "applymap", "map"),
        r"\.(apply|applymap)\(",
    ),
    Habit(
        "concat",
        "collect the parts in a list and concat once: each concat copies all that came before",
        _of("pandas", "concat"),
        r"\.?(concat|concat_tables)\(",
    ),
    Habit(
        "to_pylist",
        "compute on columns, and convert what is left: it makes a Python object of every value",
        line=r"\.(to_pylist|as_py|to_dicts|to_pydict|tolist|iter_rows|to_dict)\(",
    ),
    Habit(
        "iter_batches",
        "ask for larger batches, if these have less than some 10,000 rows: each has its own price",
        line=r"\.(iter_batches|to_batches|to_arrow_reader|fetchmany)\(",
        fields=_WAITS,
    ),
    Habit(
        "multiprocessing's pickling",
        "send workers less: paths and ranges instead of rows, or shared memory",
        _of("multiprocessing", "dumps", "loads", "dump", "_handle_tasks", "send", "recv", "get"),
    ),
    Habit(
        "pickle",
        "pickle less: keep what does not change, or use a columnar format (Arrow IPC, Parquet)",
        _of("pickle"),
        r"\bpickle\.(dumps?|loads?)\(",
    ),
    Habit(
        "json",
        "parse less JSON: only what is needed, or by a faster parser (orjson, pyarrow.json)",
        _of("json"),
    ),
    Habit(
        "deepcopy",
        "copy only what will be changed: deepcopy walks over all of it in Python",
        _of("copy", "deepcopy"),
    ),
    Habit(
        "strptime",
        "parse dates column by column, or by datetime.fromisoformat",
        _of("_strptime"),
    ),
    Habit(
        "logging",
        "log less in the loop, or look at isEnabledFor before words are made",
        _of("logging"),
    ),
    Habit(
        "gc.collect",
        "let the collector run by itself; gc.freeze() takes what stays out of its way",
        line=r"\bgc\.collect\(",
    ),
    Habit(
        "fsync",
        "write many rows, then sync once",
        line=r"\b(fsync|fdatasync)\(",
        fields=(*_WAITS, "queue_ns"),
    ),
    Habit(
        "execute",
        "one query for all of them (a join, IN, executemany), if this is asked for each row",
        line=r"\.(execute|executemany|sql|query|fetchone|fetchall)\(",
        fields=_WAITS,
    ),
    Habit(
        "re",
        "look for a pattern that backtracks (a repeat in a repeat), and try plain str methods",
        _of("re"),
    ),
    Habit(
        "match",
        "if this is a pattern: see whether it backtracks (a repeat in a repeat)",
        line=r"\.(match|fullmatch|search|findall|finditer|sub)\(",
    ),
)


def habit_of(
    spots: Spots, threads: Sequence[ThreadTree], key: Key, field: str, *, has_source: bool
) -> Habit | None:
    """Return what a function spends most on, if that is a known habit.

    Args:
        spots: Where leaves stand.
        threads: Their stacks.
        key: An own function, or a library's that no own function called.
        field: Of `Weights`: what is asked about.
        has_source: Whether the files are still those that ran.
    """
    tree = spots.tree
    by_habit: dict[int, float] = {}
    whole = 0.0
    for _, node, weights in leaves(threads):
        own = spots.of(node).own
        at = own if own != ROOT else node
        if spots.key(at) != key:
            continue
        amount = float(getattr(weights, field))
        whole += amount
        if amount <= 0:
            continue
        for n in _habits_at(tree, node, own, field, has_source=has_source):
            by_habit[n] = by_habit.get(n, 0.0) + amount
    best = max(by_habit, key=lambda n: by_habit[n], default=None)
    if best is None or by_habit[best] < LEAST_SHARE * whole:
        return None
    return HABITS[best]


def _habits_at(
    tree: CallTree, node: int, own: int, field: str, *, has_source: bool
) -> frozenset[int]:
    """Return the first habit that the libraries' frames below an own one show, else its line."""
    at = node
    seen: set[tuple[str, str]] = set()
    while at not in (own, ROOT):
        frame = tree.frame(at)
        package = package_of(frame.module)
        seen |= {(package, frame.function.rpartition(".")[2]), (package, "")}
        at = tree.parent(at)
    for n, habit in enumerate(HABITS):
        if field in habit.fields and habit.frames & seen:
            return frozenset((n,))
    if own == ROOT or not has_source:
        return frozenset()
    frame = tree.frame(own)
    line = SOURCE.line(frame.file, frame.line)
    for n, habit in enumerate(HABITS):
        if field in habit.fields and habit.line and re.search(habit.line, line):
            return frozenset((n,))
    return frozenset()
