"""Mappings, Python's heap and what allocators say, put together."""

from __future__ import annotations

import random

from perftui.probes.resident import parts as names
from perftui.probes.resident.parts import GivenOut, coarse_parts, parts_of
from perftui.probes.resident.pymalloc import PythonHeap
from perftui.probes.resident.smaps import KINDS, Mappings, ResidentSize

MB = 1_000_000


def mappings_of(allocator: str = "", **sizes_mb: int) -> Mappings:
    sizes = {
        kind.replace("_", " "): ResidentSize(mb * MB, mb * MB // 2) for kind, mb in sizes_mb.items()
    }
    return Mappings(
        sizes=sizes,  # type: ignore[arg-type]
        allocator=allocator,
        mimalloc="mimalloc" in sizes,
    )


def told_mb(
    mappings: Mappings, heap: PythonHeap | None = None, **given_mb: int | tuple[int, str]
) -> dict[str, int]:
    given = {}
    for name, said in given_mb.items():
        size, backend = said if isinstance(said, tuple) else (said, None)
        given[name.replace("__", " ")] = GivenOut(size * MB, backend)
    found = parts_of(mappings, heap, given)
    assert sum(part.rss_bytes for part in found) == mappings.rss_bytes
    assert all(0 <= part.share_bytes <= part.rss_bytes for part in found)
    return {part.name: part.rss_bytes // MB for part in found if part.rss_bytes}


def test_what_pools_gave_out_and_what_they_keep() -> None:
    whole = mappings_of(mimalloc=100, anonymous=300, malloc=50, libraries=20)
    assert told_mb(whole, arrow=(60, "mimalloc"), malloc=230, malloc__mapped=200) == {
        "Arrow": 60,
        names.ARROW_KEPT: 40,
        "malloc": 230,
        names.MALLOC_KEPT: 20,
        names.REST: 100,
        "libraries": 20,
    }


def test_of_who_does_not_tell_it_is_said_that_nobody_does() -> None:
    whole = mappings_of(mimalloc=100, anonymous=300, malloc=50)
    assert told_mb(whole) == {names.REST: 400, names.MALLOC_UNTOLD: 50}


def test_pythons_heap_is_taken_from_where_it_lies() -> None:
    heap = PythonHeap(9, 30 * MB, 10 * MB, {"anonymous": 30 * MB, "malloc": 10 * MB})
    assert told_mb(mappings_of(anonymous=100, malloc=20), heap) == {
        "Python heap": 30,
        names.PYTHON_FREE: 10,
        names.REST: 70,
        names.MALLOC_UNTOLD: 10,
    }


def test_duckdb_has_tags() -> None:
    found = told_mb(mappings_of(anonymous=500), duckdb__IN_MEMORY_TABLE=200, duckdb__HASH_TABLE=100)
    assert found == {"DuckDB in memory table": 200, "DuckDB hash table": 100, names.REST: 200}


def test_arrow_from_malloc_is_told_once() -> None:
    found = told_mb(
        mappings_of(anonymous=200, malloc=10),
        arrow=(150, "system"),
        malloc=180,
        malloc__mapped=170,
    )
    assert found == {"Arrow": 150, "malloc": 30, names.REST: 30}


def test_what_was_given_out_and_never_touched_is_nowhere() -> None:
    assert told_mb(mappings_of(mimalloc=1, anonymous=100), arrow=(5_000, "mimalloc")) == {
        "Arrow": 1,
        names.REST: 100,
    }
    assert told_mb(mappings_of(anonymous=100, malloc=5), malloc=9_000, malloc__mapped=8_000) == {
        "malloc": 105
    }


def test_another_malloc_is_named_and_glibcs_figures_are_not_believed() -> None:
    whole = mappings_of("jemalloc", anonymous=100, mimalloc=30, malloc=1)
    assert told_mb(whole, malloc=40, malloc__mapped=0, arrow=(10, "mimalloc")) == {
        "Arrow": 10,
        "jemalloc, not told": 120,
        names.MALLOC_UNTOLD: 1,
    }


def test_nothing_is_told_twice_whatever_the_counters_say() -> None:
    chance = random.Random(5)
    pools = ("arrow", "arrow system", "malloc", "malloc mapped", "duckdb A", "duckdb B")
    for _ in range(500):
        sizes = {kind: ResidentSize(rss := chance.randrange(1000), rss // 3) for kind in KINDS}
        mappings = Mappings(sizes=sizes, allocator=chance.choice(["", "", "mimalloc"]))
        said = chance.sample(pools, chance.randrange(len(pools) + 1))
        backends = [None, "mimalloc", "jemalloc", "system"]
        given = {name: GivenOut(chance.randrange(3000), chance.choice(backends)) for name in said}
        within = {kind: chance.randrange(800) for kind in chance.sample(KINDS, 2)}
        whole = sum(within.values())
        free = chance.randrange(whole + 1)
        heap = chance.choice([None, PythonHeap(1, whole - free, free, within)])
        found = parts_of(mappings, heap, given)
        assert sum(part.rss_bytes for part in found) == mappings.rss_bytes
        assert min(part.rss_bytes for part in found) >= 0
        assert len({part.name for part in found}) == len(found)


def test_three_parts_that_everybody_may_know() -> None:
    assert [part[:2] for part in coarse_parts(100, 60, 30, 10)] == [
        (names.PRIVATE, 60),
        (names.FILES, 30),
        (names.SHARED, 10),
    ]
    assert sum(part.rss_bytes for part in coarse_parts(100, 60, 30, 0)) == 100
