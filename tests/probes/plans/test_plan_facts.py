"""Plans as the engines wrote them, shortened where nothing is read."""

from __future__ import annotations

import json
from typing import Any

from perftui.probes.plans.facts import (
    ScanFacts,
    datafusion_facts,
    duckdb_facts,
    duckdb_rows,
    duckdb_text_facts,
    facts_of,
    lance_facts,
    polars_facts,
    printed_rows,
)


def scan(**info: Any) -> dict[str, Any]:
    return {"name": "READ_PARQUET", "children": [], "extra_info": info}


def above(name: str, child: dict[str, Any], **info: Any) -> dict[str, Any]:
    return {"name": name, "children": [child], "extra_info": info}


def test_duckdb() -> None:
    pushed = scan(Projections=["id", "amount"], Filters="(customer = 7)")
    assert duckdb_facts(json.dumps([pushed])) == ScanFacts(2, "in the scan")
    dynamic = scan(Projections="id", Filters="optional: Dynamic Filter (id)")
    late = above("FILTER", above("TOP_N", dynamic), Expression="(customer = 7)")
    assert duckdb_facts(json.dumps([late])) == ScanFacts(1, "above the scan")
    both = above("FILTER", scan(Projections=["id"], Filters=["a > 1", "b < 2"]))
    assert duckdb_facts(json.dumps([both])).filter == "prunes only"
    assert duckdb_facts(json.dumps([scan()])) == ScanFacts(None, "none")


def test_datafusion() -> None:
    source = "  DataSourceExec: file_groups={1 group: [[a]]}, projection=[id, customer], "
    prunes = (
        "FilterExec: customer@1 = 7\n" + source + "predicate=customer@1 = 7, "
        "pruning_predicate=customer_min@0 <= 7"
    )
    assert datafusion_facts(prunes) == ScanFacts(2, "prunes only")
    computed = "FilterExec: customer@1 % 9 = 7\n" + source + "predicate=customer@1 % 9 = 7"
    assert datafusion_facts(computed).filter == "above the scan"
    assert datafusion_facts(source + "predicate=customer@1 = 7").filter == "in the scan"
    assert datafusion_facts(source + "predicate=DynamicFilter [ empty ]").filter == "none"


def test_lance() -> None:
    late = (
        "ProjectionExec: expr=[id@0 as id]\n"
        "  LanceRead: uri=x/data, projection=[note], source=stream(_rowid)\n"
        "    LanceRead: uri=x/data, projection=[id, customer], row_id=true, "
        "full_filter=customer = UInt32(7), refine_filter=customer = UInt32(7)"
    )
    assert lance_facts(late) == ScanFacts(3, "in the scan")
    whole = "LanceRead: uri=x/data, projection=[id], full_filter=--, refine_filter=--"
    assert lance_facts(whole) == ScanFacts(1, "none")


def test_polars() -> None:
    pushed = 'simple π 1/1 ["id"]\n  Parquet SCAN [x]\n  PROJECT 2/3 COLUMNS\n  SELECTION: a == 7'
    assert polars_facts(pushed) == ScanFacts(2, "in the scan")
    late = "FILTER a == 7\nFROM\n  Parquet SCAN [x]\n  PROJECT */3 COLUMNS"
    assert polars_facts(late) == ScanFacts(3, "above the scan")


PUSHED = """\
╭─ Projection ───────────╮
│ Projections: #0, #2    │
│ ~14,286 rows           │
╰────────────┬───────────╯
╭─ Parquet Scan ─────────╮
│ Function: PARQUET_SCAN │
│ Projections: id,       │
│              f(a, b),  │
│              amount    │
│ Filters: customer = 3  │
│ ~14,286 rows           │
╰────────────────────────╯
"""
ABOVE = """\
╭─ Filter ───────────────╮
│ Expression: n > 0      │
╰────────────┬───────────╯
╭─ Read Parquet ─────────╮
│ Projections: id        │
╰────────────────────────╯
"""
JOIN = """\
╭─ Parquet Scan ─────────╮  ╭─ Parquet Scan ─────────╮
│ Projections: id        │  │ Projections: id,       │
╰────────────────────────╯  │              amount    │
                            ╰────────────────────────╯
"""


def test_duckdb_as_people_see_it() -> None:
    assert duckdb_text_facts(PUSHED) == ScanFacts(3, "in the scan")
    assert duckdb_text_facts(ABOVE) == ScanFacts(1, "above the scan")
    assert duckdb_text_facts(JOIN) is None, "two scans have no one answer"


def test_a_plan_is_known_by_its_words() -> None:
    assert facts_of(PUSHED) == ScanFacts(3, "in the scan")
    assert facts_of(json.dumps([scan(Projections=["id"])])) == ScanFacts(1, "none")
    assert facts_of("  DataSourceExec: projection=[id]") == ScanFacts(1, "none")
    assert facts_of("LanceRead: projection=[id], full_filter=--") == ScanFacts(1, "none")
    assert facts_of("  Parquet SCAN [x]\n  PROJECT 2/3 COLUMNS") == ScanFacts(2, "none")
    for nonsense in ("", "Seq Scan on orders", "[", "[1]", '[{"name": 3}]', "╭─ a ─╮", "╭" * 9):
        assert facts_of(nonsense) is None


def test_rows_that_left_the_scan() -> None:
    leaf = {"type": "TABLE_SCAN", "rows_scanned": 28}
    analyzed = {"operator": [{"name": "X", "children": [{"children": [leaf]}]}]}
    assert duckdb_rows(json.dumps(analyzed)) == 28
    assert duckdb_rows("{}") is None
    source = "  DataSourceExec: a, metrics=[output_rows=14.29 K, output_bytes=2.4 MB]"
    assert printed_rows(f"FilterExec: metrics=[output_rows=3]\n{source}\n{source}") == 28_580
    late = "LanceRead: metrics=[output_rows=6]\n  LanceRead: metrics=[output_rows=7, x=1]"
    assert printed_rows(late) == 7
    assert printed_rows("FilterExec: metrics=[output_rows=3]") is None
