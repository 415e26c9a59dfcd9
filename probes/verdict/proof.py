"""The SQL that shows a finding's figure, for `perftui query RECORDING`."""

from __future__ import annotations


def text(value: str) -> str:
    """Return a text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def function_sql(function: str, file: str, column: str) -> str:
    """Seconds of a function with all that it called, in one column of `top_total`."""
    return (
        f"SELECT function, file, {column}, wall_s FROM top_total "
        f"WHERE function = {text(function)} AND file = {text(file)}"
    )


def alerts_sql(kind: str) -> str:
    """Alerts of a kind, as they were told and brought up to date."""
    return (
        "SELECT kind, severity, t_onset_s, t_clear_s, message FROM alerts "
        f"WHERE kind = {text(kind)} ORDER BY t_onset_s, seq"
    )


def rss_sql(from_s: float, to_s: float) -> str:
    """RSS of the process tree, a row a second."""
    return (
        "SELECT t_s, high AS rss_bytes FROM metrics_1s WHERE pid = 0 AND name = 'rss_bytes' "
        f"AND t_s >= {from_s - 1:.3f} AND t_s < {to_s + 1:.3f} ORDER BY t_s"
    )


IMPORTS = (
    "SELECT module, total_s, self_s, rss_bytes FROM imports WHERE parent IS NULL "
    "ORDER BY total_s DESC NULLS LAST LIMIT 20"
)
IMPORTING = (
    "SELECT function, file, wall_s, cpu_s FROM top_total "
    "WHERE function = '_find_and_load' AND starts_with(file, '<frozen importlib')"
)
NATIVE_CPU = (
    "SELECT name, count(*) AS threads, sum(cpu_s) AS cpu_s FROM threads WHERE NOT is_python "
    "AND pid IN (SELECT pid FROM threads WHERE is_python) GROUP BY name ORDER BY cpu_s DESC"
)
LAST_WORDS = "SELECT t_s, text FROM log WHERE stream = 'stderr' ORDER BY t_ns DESC LIMIT 20"
ENDS = "SELECT t_s, pid, exit_code, signal FROM exits ORDER BY t_ns DESC"
TASKS = (
    "SELECT name, awaits, frames FROM tasks t JOIN (SELECT pid, max(t_ns) AS t_ns FROM tasks "
    "GROUP BY pid) USING (pid, t_ns) WHERE n > 0 ORDER BY n"
)
WAITS_BY_PLACE = (
    "SELECT function, file, lock_s, wall_s FROM top_self WHERE lock_s > 0 "
    "ORDER BY lock_s DESC LIMIT 20"
)
COVERAGE = "SELECT sum(covered_cpu_ns) / 1e9 AS covered_s, sum(cpu_ns) / 1e9 AS cpu_s FROM windows"


def keepers_sql(what: str) -> str:
    """What one thing in the program came to hold, over all looks from inside."""
    return (
        "SELECT what, container, element, sum(entries) AS entries, sum(bytes) AS bytes, "
        f"any_value(fills) AS fills FROM keepers WHERE what = {text(what)} GROUP BY ALL"
    )


def part_sql(part: str) -> str:
    """One part of the tree's RSS over time."""
    return (
        f"SELECT t_s, bytes FROM memory_parts WHERE pid = 0 AND name = {text(part)} ORDER BY t_ns"
    )
