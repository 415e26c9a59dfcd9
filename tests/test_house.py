"""The plan of the house: modules in no circle, rooms to take in at a glance, one word a thing.

What a module uses is read from its text: imports for types and those inside functions count too.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSES = {"tui": "perftui.tui", "probes": "perftui.probes", "scenarios": "perftui.scenarios"}
MOST_IN_A_ROOM = 20
MANY_IN_A_ROOM = 15


@cache
def modules() -> dict[str, tuple[Path, ast.Module]]:
    """Every module by its dotted name."""
    found = {}
    for folder, package in HOUSES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            if parts[0] == "_root":  # is installed beside the houses
                continue
            name = ".".join([package, *parts]).removesuffix(".__init__")
            found[name] = (path, ast.parse(path.read_text(), str(path)))
    return found


def imported(name: str, path: Path, tree: ast.Module) -> set[str]:
    """The modules of the house that a module names in an import, wherever it stands."""
    known = modules()
    found = set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wanted = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            names = {f"{base}.{alias.name}" for alias in node.names}
            wanted = {each for each in names if each in known} or {base}
        else:
            continue
        found |= {each for each in wanted if each in known}
    return found - {name}


def circles(uses: dict[str, set[str]]) -> list[list[str]]:
    """The sets of modules that reach one another (Tarjan's components of more than one)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    found = []
    for root in uses:
        if root in order:
            continue
        work = [(root, iter(sorted(uses[root])))]
        order[root] = low[root] = len(order)
        path.append(root)
        on_path.add(root)
        while work:
            node, rest = work[-1]
            for each in rest:
                if each not in order:
                    order[each] = low[each] = len(order)
                    path.append(each)
                    on_path.add(each)
                    work.append((each, iter(sorted(uses[each]))))
                    break
                if each in on_path:
                    low[node] = min(low[node], order[each])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    at = path.index(node)
                    circle, path[at:] = path[at:], []
                    on_path -= set(circle)
                    if len(circle) > 1:
                        found.append(sorted(circle))
    return found


def test_a_circle_is_found() -> None:
    uses = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a", "f"}, "f": {"e"}}
    assert circles(uses) == [["b", "c"], ["e", "f"]]


def test_no_modules_import_each_other_in_a_circle() -> None:
    uses = {name: imported(name, path, tree) for name, (path, tree) in modules().items()}
    assert sum(map(len, uses.values())) > 1000, "imports are seen at all"
    assert circles(uses) == []


def test_a_room_is_taken_in_at_a_glance(capsys: pytest.CaptureFixture[str]) -> None:
    rooms = Counter(
        path.parent.relative_to(ROOT).as_posix()
        for path, _ in modules().values()
        if path.name != "__init__.py"
    )
    with capsys.disabled():
        for room, count in rooms.most_common():
            if count > MANY_IN_A_ROOM:
                print(f"\n{room}: {count} modules", end="")
    assert {room: count for room, count in rooms.items() if count > MOST_IN_A_ROOM} == {}


def test_one_word_names_one_class() -> None:
    homes = defaultdict(list)
    for path, tree in modules().values():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}


def test_sources_of_a_program_are_read_in_one_place() -> None:
    """A recording may name a pipe or a device: `linecache` would open it, and wait for ever."""
    named = [
        name
        for name, (_, tree) in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if "linecache" in (alias.name, getattr(node, "module", None))
    ]
    assert named == []


SINKS = {"RecordingReader", "FollowedReader", "Store", "MemoryParts"}
"""What answers are kept in; all others see `Reader`, or `RecordedReader` for a recording's rows."""
ROOMS_OF_SINKS = ("perftui.probes.recording.", "perftui.probes.store.")
BUILDERS = {"perftui.probes.session_parts.base"}
"""Who puts a session together."""


def test_whoever_asks_knows_a_face_and_no_sink() -> None:
    named = {
        f"{name} names {alias.name}"
        for name, (_, tree) in modules().items()
        if not name.startswith(ROOMS_OF_SINKS) and name not in BUILDERS
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in SINKS
    }
    assert named == set()


NOT_OURS = {
    *("_replace", "_asdict", "_fields", "_make"),
    *("_load", "_find_spec", "_find_and_load", "_gcd_import", "_fork_exec", "_USE_POSIX_SPAWN"),
    *("_attributes", "_set_attributes", "_link_id", "_color_system"),
    "_get_traces",
    "_get_running_loop",
}
"""Of named tuples, which are public; of Python's imports and children; of styles of Rich; of
tracemalloc in C, which has no other name for it; of asyncio, whose public name raises instead."""


def own_privates(tree: ast.Module) -> set[str]:
    """Return the private names that a module makes: methods, and attributes of `self`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "cls"):
            found.add(node.attr)
    return found


def from_elsewhere(tree: ast.Module) -> set[str]:
    """Return the names that a module has from Python and packages, whose privates are another
    matter."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("perftui"))
    }


def test_nobody_reaches_into_the_privates_of_another() -> None:
    reached = set()
    for path, tree in modules().values():
        ours, theirs = own_privates(tree) | NOT_OURS, from_elsewhere(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or not node.attr.startswith("_"):
                continue
            whose = ast.unparse(node.value)
            if node.attr.endswith("__") or node.attr in ours or whose in theirs:
                continue
            reached.add(f"{path.relative_to(ROOT)} {whose}.{node.attr}")
    assert reached == set()


SAID = {"text", "message", "hint", "evidence", "head", "label", "about", "remedy", "reason"}
"""Fields that hold what a person reads."""
ASKS = {"startswith", "endswith", "find", "partition"}


def test_nothing_is_decided_by_the_words_of_a_message() -> None:
    """An error has a class for what is done about it, a note a field; words may change."""
    decided = set()
    for path, tree in modules().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and any(
                isinstance(op, ast.In | ast.NotIn) for op in node.ops
            ):
                wrong = ast.unparse(node.comparators[0]) in ("str(error)", "str(exc)", "str(e)")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                whose = node.func.value
                wrong = (
                    node.func.attr in ASKS
                    and isinstance(whose, ast.Attribute)
                    and whose.attr in SAID
                )
            else:
                continue
            if wrong:
                decided.add(f"{path.relative_to(ROOT)} {ast.unparse(node)}")
    assert decided == set()
