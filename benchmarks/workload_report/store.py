"""5: a LanceDB application: ingest, questions, indexes, users."""

from __future__ import annotations

from typing import Any

from perftui.probes.text.units import format_bytes, format_count, format_seconds
from workload_report.markdown import percent, table, times
from workload_report.measuring import Collected
from workload_report.section import Data, Section

REQUESTS = ("key", "list", "search")
MORE_IS_NOT_WORTH = 1.15
"""Throughput must rise by this factor for more users to be worth it."""

Row = dict[str, Any]


def measure(quick: bool) -> Data:
    """Run the three scenarios of a LanceDB application."""
    collected = Collected()
    collected.run("row-vs-batch", target="lancedb", rows=100 if quick else 500)
    collected.run(
        "store-queries",
        rows=10_000 if quick else 200_000,
        dim=32 if quick else 64,
        queries=8 if quick else 20,
    )
    for request in REQUESTS[:1] if quick else REQUESTS:
        collected.run(
            "users",
            request=request,
            levels="1,5,10,20",
            seconds=0.5 if quick else 2,
            rows=10_000 if quick else 50_000,
        )
    return collected.data()


def write(data: Data) -> str:
    """Ingest, questions, indexes, users, and what of it meets its target."""
    by_table: dict[str, list[Row]] = {}
    for row in data["figures"]:
        by_table.setdefault(row["table"], []).append(row)
    ingest, users = by_table.get("ingest", []), by_table.get("users", [])
    questions = by_table.get("question", [])
    indexes = by_table.get("index", [])
    parts = [_says(ingest, questions, users), _ingest(ingest)]
    parts += ["Each question the slow way and the better way, with equal answers:"]
    parts += [_questions(questions)]
    built = ", ".join(f"{row['name']} {format_seconds(row['took_s'])}" for row in indexes)
    parts += [f"Same: whether the answers agree; of IVF_PQ, its recall@10. Built in: {built}."]
    parts += ["Users at the same time, threads on one table:", _users(users)]
    parts += ["Acceptance:", _acceptance(ingest, questions, users)]
    return "\n\n".join(parts)


def _speed(row: Row) -> float:
    return float(row["rows"] / row["took_s"])


def _ingest(rows: list[Row]) -> str:
    single = _speed(rows[0])
    return table(
        ("ingest", "rows", "rows/s", "against row by row", "files", "on disk per row"),
        [
            (
                row["way"],
                format_count(row["rows"]),
                format_count(_speed(row)),
                times(_speed(row) / single),
                format_count(row["files"]),
                format_bytes(row["disk_bytes"] / row["rows"]),
            )
            for row in rows
        ],
    )


def _questions(rows: list[Row]) -> str:
    return table(
        ("question", "against", "n", "first", "warm", "the other, first", "warm", "faster", "same"),
        [
            (
                row["name"],
                row["against"],
                str(row["n"]),
                format_seconds(row["first_s"]),
                format_seconds(row["warm_s"]),
                format_seconds(row["against_first_s"]),
                format_seconds(row["against_warm_s"]),
                times(row["against_warm_s"] / row["warm_s"]),
                row["same"],
            )
            for row in rows
        ],
        left=2,
    )


def _users(rows: list[Row]) -> str:
    return table(
        (
            *("what is asked", "users", "requests/s", "mean", "p50", "p95", "p99", "max"),
            *("success", "threads"),
        ),
        [
            (
                row["what"],
                str(row["users"]),
                format_count(_throughput(row)),
                *(_time(row[name]) for name in ("mean_s", "p50_s", "p95_s", "p99_s", "max_s")),
                percent(_success(row)),
                str(row["threads"]),
            )
            for row in rows
        ],
    )


def _time(value: float | None) -> str:
    return "-" if value is None else format_seconds(value)


def _throughput(row: Row) -> float:
    return float(row["answered"] / row["took_s"])


def _success(row: Row) -> float:
    return float(row["answered"] / max(row["answered"] + row["failed"], 1))


def _named(rows: list[Row], name: str) -> Row | None:
    return next((row for row in rows if row["name"] == name), None)


def _acceptance(ingest: list[Row], questions: list[Row], users: list[Row]) -> str:
    """Targets of the kind that such an application's tests have, and whether they are met."""
    lines: list[tuple[str, str, str, str]] = []

    def line(what: str, target: str, measured: str, met: bool) -> None:
        lines.append((what, target, measured, "met" if met else "NOT met"))

    best = max(map(_speed, ingest)) / _speed(ingest[0])
    line("ingest in batches against row by row", ">= 100x", times(best), best >= 100)
    under_s = {
        "filter key =, BTree": 0.01,
        "vector search, IVF_PQ": 0.05,
        "vector search, own cache hit": 0.001,
        "page, DuckDB over Lance": 0.05,
        "statistics, DuckDB over Lance": 0.05,
    }
    for name, bound in under_s.items():
        row = _named(questions, name)
        if row is not None:
            took = format_seconds(row["warm_s"])
            line(f"{name}, warm", f"< {format_seconds(bound)}", took, row["warm_s"] < bound)
    refined = _named(questions, "vector search, IVF_PQ refined")
    if refined is not None:
        recall = float(refined["same"])
        line("recall@10 of IVF_PQ refined", ">= 0.90", f"{recall:.2f}", recall >= 0.9)
    exact = [row for row in questions if "IVF_PQ" not in row["name"]]
    agree = sum(row["same"] == "yes" for row in exact)
    line("answers the same either way", "all", f"{agree} of {len(exact)}", agree == len(exact))
    if users:
        success = min(map(_success, users))
        line("success of all users' requests", "100%", percent(success), success == 1)
        slow = max(row["p99_s"] or 0.0 for row in users if row["users"] == 20)
        line("p99 with 20 users", "< 500 ms", format_seconds(slow), 0 < slow < 0.5)
    return table(("what", "target", "measured", "verdict"), lines)


def _says(ingest: list[Row], questions: list[Row], users: list[Row]) -> str:
    best = max(ingest, key=_speed)
    said = (
        f"In {best['way']} LanceDB takes {times(_speed(best) / _speed(ingest[0]))} as many rows/s "
        f"as row by row"
    )
    key = _named(questions, "filter key =, BTree")
    if key is not None:
        said += f"; a BTree makes a filter {times(key['against_warm_s'] / key['warm_s'])} as fast"
    near, refined = (
        _named(questions, name)
        for name in ("vector search, IVF_PQ", "vector search, IVF_PQ refined")
    )
    if near is not None and refined is not None:
        said += (
            f", IVF_PQ a vector search {times(near['against_warm_s'] / near['warm_s'])} with a "
            f"recall of {near['same']} ({refined['same']} when refined)"
        )
    counted = _named(questions, "statistics, DuckDB over Lance")
    if counted is not None:
        said += (
            f", DuckDB statistics {times(counted['against_warm_s'] / counted['warm_s'])} as fast "
            "as pandas"
        )
    return f"{said}. {_saturation(users)}" if users else f"{said}."


def _saturation(users: list[Row]) -> str:
    words = []
    for what in dict.fromkeys(row["what"] for row in users):
        levels = [row for row in users if row["what"] == what]
        best = levels[0]
        for level in levels[1:]:
            if _throughput(level) < MORE_IS_NOT_WORTH * _throughput(best):
                break
            best = level
        number = "1 user" if best["users"] == 1 else f"{best['users']} users"
        kind = "still rises" if best is levels[-1] else "stops rising"
        speed = format_count(_throughput(best))
        words.append(f"{what.split(',')[0]} {kind} at {number} ({speed} requests/s)")
    return f"Throughput of {'; '.join(words)}."


SECTION = Section("5", "A LanceDB application", measure, write)
