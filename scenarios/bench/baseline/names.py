"""What figures are called in a baseline file, where that is not our own key."""

from __future__ import annotations

IN_FILE = {
    "rate:rows": "throughput_rows_per_sec",
    "duration": "duration_seconds",
    "cpu": "cpu_seconds",
    "peak_rss": "peak_rss_bytes",
    "growth": "rss_growth_bytes",
    "growth_per_row": "rss_growth_bytes_per_row",
    "spawn": "spawn_seconds",
    "imports": "import_seconds",
    "first_call": "first_call_seconds",
    "second_call": "second_call_seconds",
    "warm_call": "warm_call_seconds",
    "cold_start": "cold_start_seconds",
}
OURS = {theirs: ours for ours, theirs in IN_FILE.items()}


def in_file(key: str) -> str:
    """Return the name of a figure in a file."""
    return IN_FILE.get(key, key)


def ours(name: str) -> str:
    """Return our key of a figure in a file."""
    return OURS.get(name, name)
