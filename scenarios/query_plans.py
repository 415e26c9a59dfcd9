"""Reading the plans that engines explain: which columns and which filter reached the scan.

Pure functions over the engines' own words. What is not found is None, not a guess.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal, NamedTuple

FilterReach = Literal["in the scan", "prunes only", "above the scan", "none"]
"""`prunes only`: the scan may skip whole groups by it, and a filter above looks at every row."""


class ScanFacts(NamedTuple):
    """What one plan says about its scan."""

    columns: int | None
    """How many the scan reads; None if the plan does not say."""
    filter: FilterReach


def duckdb_facts(plan_json: str) -> ScanFacts:
    """Read `EXPLAIN (FORMAT JSON)` of DuckDB."""
    columns: int | None = None
    scan_filter = above = False
    for node in _nodes(json.loads(plan_json)):
        info = node.get("extra_info", {})
        if "SCAN" in node["name"] or node["name"].startswith("READ_"):
            columns = _listed(info.get("Projections"))
            words = info.get("Filters") or ""
            text = " ".join(words) if isinstance(words, list) else str(words)
            # What a top-n passes down while it runs is not the query's filter.
            scan_filter = bool(re.sub(r"optional: Dynamic Filter \(\w+\)", "", text).strip())
        elif node["name"] == "FILTER":
            above = True
    return ScanFacts(columns, _reach(scan_filter, above))


def _nodes(tree: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for node in tree:
        found += [node, *_nodes(node.get("children", []))]
    return found


def _listed(value: object) -> int | None:
    if isinstance(value, list):
        return len(value)
    return 1 if isinstance(value, str) and value else None


def datafusion_facts(plan: str) -> ScanFacts:
    """Read DataFusion's physical plan, as `display_indent` writes it."""
    scan = next((line for line in plan.splitlines() if "DataSourceExec:" in line), "")
    above = "FilterExec:" in plan
    # Unless `pushdown_filters` is on, a predicate in the scan only skips row groups, and that
    # only if statistics can serve it.
    kind = r"\bpruning_predicate=" if above else r"\bpredicate=(?!DynamicFilter)"
    columns = _bracketed(scan)
    read = None if columns is None else len(columns)
    return ScanFacts(read, _reach(re.search(kind, scan), above))


def lance_facts(plan: str) -> ScanFacts:
    """Read Lance's plan: columns that are fetched late, by row id, have a scan of their own."""
    scans = [line for line in plan.splitlines() if "LanceRead:" in line or "LanceScan:" in line]
    columns: list[str] = []
    for scan in reversed(scans):
        columns += [name for name in _bracketed(scan) or () if name not in columns]
    filtered = any(re.search(r"full_filter=(?!--)\S", scan) for scan in scans)
    indexed = "ScalarIndexQuery" in plan
    above = "FilterExec:" in plan
    return ScanFacts(len(columns) or None, _reach(filtered or indexed, above))


def polars_facts(plan: str) -> ScanFacts:
    """Read Polars' `explain()`."""
    scan = re.search(r"PROJECT (\*|\d+)/(\d+) COLUMNS", plan)
    columns = None
    if scan is not None:
        columns = int(scan[2] if scan[1] == "*" else scan[1])
    return ScanFacts(columns, _reach("SELECTION:" in plan, re.search(r"^\s*FILTER", plan, re.M)))


def _bracketed(line: str) -> tuple[str, ...] | None:
    found = re.search(r"\bprojection=\[([^\]]*)\]", line)
    if found is None:
        return None
    return tuple(name.strip() for name in found[1].split(",") if name.strip())


def _reach(in_scan: object, above: object) -> FilterReach:
    if in_scan:
        return "prunes only" if above else "in the scan"
    return "above the scan" if above else "none"
