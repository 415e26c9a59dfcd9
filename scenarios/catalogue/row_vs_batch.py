"""Row by row against batches: the same table filled in steps of 1, 10, 100, 1000 rows.

With `check` every row is first looked for in the table, as careful programs do: each look reads
all the small files that the rows before it have left.
"""

import time
from pathlib import Path
from typing import Annotated, Any, Literal

import perftui
from perftui.probes.text.units import format_bytes, format_count, format_seconds
from perftui.scenarios.catalogue.batch_size import whole_numbers
from perftui.scenarios.data.cache import scratch
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, ScenarioError
from perftui.scenarios.loading.measured import (
    Load,
    generated_batches,
    hand_over_load,
    load,
    opened_system,
)
from perftui.scenarios.loading.measured import system_and_variant as _system
from perftui.scenarios.say.table import print_table


@scenario(
    "row-vs-batch",
    summary="fill a table row by row, then in batches of growing size",
    shows="what a commit per row costs in time and in files, and what a duplicate check adds",
    uses=("lancedb", "deltalake", "duckdb", "pyarrow"),
)
def row_vs_batch(
    target: Annotated[
        Literal["lancedb", "delta", "duckdb", "sqlite"], "what is filled"
    ] = "lancedb",
    rows: Annotated[int, Range(1, 100_000_000), "one by one; batches take ten times as many"] = 500,
    sizes: Annotated[str, "rows per batch, separated by commas"] = "10,100,1000",
    check: Annotated[bool, "one by one once more, looking for each row first (lancedb)"] = True,
) -> None:
    """See the module."""
    batches_of = whole_numbers("sizes", sizes)
    system, variant = _system(target, "default")
    results: list[tuple[str, Load]] = []
    with scratch("row-vs-batch", rows * 10 * 2_000) as folder:
        with opened_system(system, variant, "", rows) as destination:
            for size in (1, *batches_of):
                n = rows if size == 1 else max(rows * 10, size)
                with perftui.phase("setup"):
                    batches = generated_batches(system, n, size)
                place = folder / f"{size}"
                place.mkdir()
                title = "row by row" if size == 1 else f"batches of {size}"
                results.append((title, load(destination, batches, place, f"by{size}", title)))
        if check and target == "lancedb":
            results.insert(1, ("row by row, checked", _checked(folder / "checked", rows)))
    for title, each in results:
        hand_over_load("ingest", each, target=target, way=title)
    single = results[0][1]
    print_table(
        ("ingest", "rows", "time", "rows/s", "against single", "files", "on disk"),
        [
            (
                title,
                format_count(each.rows),
                format_seconds(each.took_s),
                format_count(each.rows / each.took_s),
                f"{each.rows / each.took_s / (single.rows / single.took_s):.1f}x",
                format_count(each.files),
                format_bytes(each.disk_bytes / each.rows) + "/row",
            )
            for title, each in results
        ],
    )
    took = single.batch_s
    tenth = max(len(took) // 10, 1)
    begun, ended = sum(took[:tenth]) / tenth, sum(took[-tenth:]) / tenth
    print(
        f"{target}, row by row: the first tenth took {format_seconds(begun)} a row, "
        f"the last {format_seconds(ended)}: {ended / begun:.1f} times as long"
    )


def _checked(folder: Path, rows: int) -> Load:
    """Add rows to a LanceDB table one by one, looking for each one's id first."""
    import lancedb

    from perftui.scenarios.loading.rows import arrow_batches

    batches: list[Any] = list(arrow_batches(rows, 1))
    table = lancedb.connect(str(folder)).create_table("checked", schema=batches[0].schema)
    took: list[float] = []
    cpu_before, started = time.process_time(), time.perf_counter()
    with perftui.phase("row by row, checked"):
        for number, batch in enumerate(batches):
            began = time.perf_counter()
            with perftui.call("check and add"):
                if table.count_rows(f"id = {number}"):
                    raise ScenarioError(f"row {number} is there before it was added")
                table.add(batch)
            took.append(time.perf_counter() - began)
            perftui.count("rows", 1)
    took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_before
    files = [file for file in folder.rglob("*") if file.is_file()]
    disk = sum(file.stat().st_size for file in files)
    return Load(rows, took_s, cpu_s, tuple(took), 0, 0, len(files), disk)
