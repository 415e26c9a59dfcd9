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


def facts_of(text: str) -> ScanFacts | None:
    """Read a plan of whichever engine wrote it; None if it is of none that we know.

    DuckDB's boxes are read if there is one scan: several stand side by side.
    """
    if text.lstrip()[:1] == "[":
        try:
            return duckdb_facts(text)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
    if "LanceRead:" in text or "LanceScan:" in text:
        return lance_facts(text)
    if "DataSourceExec:" in text:
        return datafusion_facts(text)
    if re.search(r"^\s*PROJECT (\*|\d+)/\d+ COLUMNS", text, re.MULTILINE):
        return polars_facts(text)
    return duckdb_text_facts(text)


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


def duckdb_text_facts(plan: str) -> ScanFacts | None:
    """Read DuckDB's `EXPLAIN` as people see it, in boxes; None unless it has exactly one scan."""
    if any(line.count("╭─") > 1 for line in plan.splitlines()):
        return None
    boxes = _boxes(plan)
    scans = [box for title, box in boxes if _is_scan(title)]
    if len(scans) != 1:
        return None
    scan = scans[0]
    said = re.sub(r"optional: Dynamic Filter \(\w+\)", "", scan.get("Filters", "")).strip()
    columns = scan.get("Projections", "")
    above = any(title.upper() == "FILTER" for title, _ in boxes)
    return ScanFacts(len(_top_level(columns)) or None, _reach(said, above))


def _is_scan(title: str) -> bool:
    return title.upper().endswith("SCAN") or title.upper().startswith("READ")


def _boxes(plan: str) -> list[tuple[str, dict[str, str]]]:
    """Return (title, fields) of the boxes; a field may go on over several lines."""
    found: list[tuple[str, dict[str, str]]] = []
    key = ""
    for line in plan.splitlines():
        title = re.match(r"\s*╭─ (.*?) ─", line)
        if title is not None:
            found.append((title[1], {}))
            key = ""
            continue
        inside = re.match(r"\s*│(.*)│\s*$", line)
        if inside is None or not found:
            continue
        words = inside[1].strip()
        field = re.match(r"([A-Z][\w ()]*): ?(.*)", words)
        if field is not None:
            key = field[1]
            found[-1][1][key] = field[2]
        elif words.startswith("~"):
            key = ""
        elif key:
            found[-1][1][key] += " " + words
    return found


def _top_level(names: str) -> list[str]:
    """Split at the commas that are in no bracket."""
    parts, depth = [""], 0
    for letter in names:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in map(str.strip, parts) if part]


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


def duckdb_rows(analyzed_json: str) -> int | None:
    """Return the rows that the scans of `EXPLAIN (ANALYZE, FORMAT JSON)` handed on."""
    plan = json.loads(analyzed_json)
    rows = [node.get("rows_scanned") for node in _nodes(plan.get("operator", []))]
    known = [each for each in rows if isinstance(each, int)]
    return sum(known) if known else None


def printed_rows(analyzed: str) -> int | None:
    """Return the rows that the scans handed on, of DataFusion's and Lance's analyzed plans.

    They print three digits: "output_rows=14.29 K". Lance reads late columns of the same rows in
    a second scan.
    """
    found = [
        re.search(r"\boutput_rows=([\d.]+)(?: ([KMBT])\b)?", line)
        for line in analyzed.splitlines()
        if re.match(r"\s*(DataSourceExec|LanceRead|LanceScan):", line)
    ]
    rows = [
        round(float(each[1]) * {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(each[2] or "", 1))
        for each in found
        if each is not None
    ]
    if not rows:
        return None
    return max(rows) if "DataSourceExec:" not in analyzed else sum(rows)


def _bracketed(line: str) -> tuple[str, ...] | None:
    found = re.search(r"\bprojection=\[([^\]]*)\]", line)
    if found is None:
        return None
    return tuple(name.strip() for name in found[1].split(",") if name.strip())


def _reach(in_scan: object, above: object) -> FilterReach:
    if in_scan:
        return "prunes only" if above else "in the scan"
    return "above the scan" if above else "none"
