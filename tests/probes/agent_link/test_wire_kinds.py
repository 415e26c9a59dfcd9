"""What the agent writes, what its reader takes, and what a recording keeps are of one table."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from perftui.probes.agent_link.wire_kinds import WIRE_KINDS
from perftui.probes.recording.format.tables import TABLES
from perftui.probes.spine import records

AGENT = Path(__file__).resolve().parents[3] / "probes" / "agent"
KIND = re.compile(r'\{"k":"(\w+)"')
FIELD = re.compile(r'"(\w+)":')
ALWAYS = {"k", "t", "pid"}
ANYWHERE = {"dropped"}
TABLE_OF = {
    records.ProcessStart: "processes",
    records.Metric: "metrics",
    records.ThreadCpu: "thread_cpu",
    records.ThreadName: "thread_names",
    records.Stack: "stacks",
    records.StackWindow: "windows",
    records.PhaseBegin: "phase_edges",
    records.PhaseEnd: "phase_edges",
    records.ImportBegin: "import_edges",
    records.ImportEnd: "import_edges",
    records.Call: "calls",
    records.Count: "counts",
    records.Mark: "marks",
    records.Plan: "plans",
    records.LoopBlock: "loop_blocks",
    records.Collected: "gc_events",
    records.Run: "runs",
    records.Installed: "installed",
    records.TaskSeen: "tasks",
    records.GrowthLook: "growth_looks",
    records.Keeper: "keepers",
    records.Rise: "rises",
    records.Allocated: "allocations",
    records.Pool: "pools",
    records.MemoryPart: "memory_parts",
    records.LogLine: "log",
    records.Notice: "notices",
    records.Gap: "gaps",
    records.Exit: "exits",
    records.Alert: "alerts",
    records.Overhead: "overhead",
}


def lines_written() -> dict[str, set[str]]:
    """Every kind of line in the agent's source, with the names of its fields."""
    found: dict[str, set[str]] = {}
    for path in AGENT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                kind = KIND.match(node.value)
                if kind is not None:
                    found.setdefault(kind[1], set()).update(FIELD.findall(node.value))
    return found


def test_the_agent_writes_the_kinds_of_the_table_and_no_others() -> None:
    assert set(lines_written()) == set(WIRE_KINDS)


@pytest.mark.parametrize("name", sorted(WIRE_KINDS))
def test_the_agent_writes_the_fields_of_the_table(name: str) -> None:
    written = lines_written()[name] - ALWAYS - ANYWHERE
    wanted = {field.name for field in WIRE_KINDS[name].fields} - ANYWHERE
    assert written <= wanted, f"not read: {sorted(written - wanted)}"
    # Fields that are put together elsewhere are named in the agent's source all the same.
    source = "".join(path.read_text() for path in AGENT.rglob("*.py"))
    missing = [each for each in wanted - written if f'"{each}"' not in source]
    assert not missing, f"never written: {missing}"


def test_a_record_takes_as_many_values_as_its_line_has() -> None:
    for kind in WIRE_KINDS.values():
        if kind.record is not None:
            fields = getattr(kind.record, "_fields")  # noqa: B009 - of a NamedTuple
            assert len(fields) == 2 + len(kind.fields), kind.name


def test_every_record_has_its_table() -> None:
    # Of type checkers alone: at run time there is no union for Python 3.9 to stumble over.
    source = ast.parse(Path(records.__file__).read_text())
    [union] = [
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.BinOp)
        and getattr(node.targets[0], "id", "") == "Record"
    ]
    kinds = {getattr(records, n.id) for n in ast.walk(union) if isinstance(n, ast.Name)}
    assert kinds == set(TABLE_OF), "a new record kind: say where it is kept"
    assert set(TABLE_OF.values()) <= set(TABLES)
