"""SQL over many recordings: the same rows as over each, and only what is asked for is looked at."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from support.recordings.made import make, make_own

from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.shelf.several import means_many, sources_of
from perftui.probes.recording.sql.many import ManyQuery, tables_in
from perftui.probes.recording.sql.query import Query
from perftui.probes.recording.sql.views import VIEWS, base_tables
from perftui.tui.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("duckdb")
NAMES = ("broken_off", "older", "own")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sealed whole, with a live segment, of the own sampler, of older rules about secrets."""
    base = tmp_path_factory.mktemp("many")
    make(base / "sealed.perftui", 10)
    make(base / "broken_off.perftui", 10, close=False, seed=2)
    make_own(base / "own.perftui", 12)
    older = shutil.copytree(base / "sealed.perftui", base / "older.perftui") / "meta.json"
    meta = json.loads(older.read_text())
    del meta["redaction"]
    older.write_text(json.dumps(meta))
    return base


def selects() -> list[str]:
    asked = list(base_tables())
    for view in VIEWS:
        if view.parameters is None:
            asked.append(view.name)
        else:
            asked.append(f"{view.name}({'5' if view.parameters == 't' else '2, 7.5'})")
    return asked


def _columns_of(query: Query, what: str) -> str:
    """Lines are those seen most often: of two seen as often either may be named."""
    told = rows_of(query, f"SELECT column_name FROM (DESCRIBE FROM {what})")
    hidden = ("line", "own_line") if what.startswith(("top_", "allocated")) else ()
    return ", ".join(name for (name,) in told if name not in hidden)


def rows_of(query: Query, sql: str) -> list[tuple[Any, ...]]:
    with query.run(sql) as result:
        rows = [
            tuple(f"{cell:.9g}" if isinstance(cell, float) else cell for cell in row)
            for row in result.rows()
        ]
    return sorted(rows, key=repr)


def test_every_table_view_and_macro_is_what_each_recording_says(folder: Path) -> None:
    problems: list[str] = []
    asked = selects()
    sources = sources_of(str(folder / "[bo]*.perftui"), problems)
    assert tuple(source.name for source in sources) == NAMES
    singles = {name: Query(open_recording(folder / f"{name}.perftui")) for name in NAMES}
    with ManyQuery(sources, " ".join(asked), problems) as many:
        for what in asked:
            columns = _columns_of(singles["own"], what)
            among: dict[str, list[tuple[Any, ...]]] = {name: [] for name in NAMES}
            for name, *row in rows_of(many, f"SELECT recording, {columns} FROM {what}"):
                among[name].append(tuple(row))
            for name, single in singles.items():
                assert among[name] == rows_of(single, f"SELECT {columns} FROM {what}"), (what, name)
    assert problems == []
    for single in singles.values():
        single.close()


def test_nothing_is_opened_for_a_list(folder: Path, tmp_path: Path) -> None:
    base = tmp_path / "many"
    base.mkdir()
    for name in ("a", "b"):
        (base / f"{name}.perftui").mkdir()
        shutil.copy(folder / "sealed.perftui" / "meta.json", base / f"{name}.perftui")
    problems: list[str] = []
    sql = "SELECT recording, duration_s, peak_rss_bytes, state FROM recordings ORDER BY 1"
    with ManyQuery(sources_of(f"{base}/", problems), sql, problems) as query:
        found = rows_of(query, sql)
    assert [row[0] for row in found] == ["a", "b"]
    assert all(row[1] == "10" and row[2] > 0 and row[3] == "closed" for row in found)
    assert tables_in(sql) == set()
    assert "stacks" not in tables_in("FROM metrics")
    assert tables_in('SELECT * FROM "METRICS"') == {"metrics"}
    assert {"nodes", "frames", "stack_sums"} <= tables_in("from Top_Self")
    assert tables_in("SHOW TABLES") == set(base_tables())


def test_the_damaged_are_named_and_the_rest_answers(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "sealed.perftui", tmp_path / "good.perftui")
    for name in ("no_meta", "bad_meta", "bad_file"):
        shutil.copytree(folder / "sealed.perftui", tmp_path / f"{name}.perftui")
    (tmp_path / "no_meta.perftui/meta.json").unlink()
    (tmp_path / "bad_meta.perftui/meta.json").write_text("{")
    for path in (tmp_path / "bad_file.perftui").glob("metrics-*.parquet"):
        path.write_bytes(path.read_bytes()[:-20])
    (tmp_path / "a_file.perftui").write_text("nothing")
    sql = "SELECT DISTINCT recording FROM metrics"
    assert main(["query", f"{tmp_path}/*.perftui", sql, "--format", "csv"]) == 0
    told = capfd.readouterr()
    assert told.out.split() == ["recording", "good"]
    for name in ("no_meta", "bad_meta", "bad_file", "a_file"):
        assert f"left out: {name}" in told.err
    assert "Traceback" not in told.err


def test_what_means_many(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for word in ("*.perftui", "./", f"{folder}/", f"file://{folder}/*", "s3://b/runs", "s3://b/*"):
        assert means_many(word), word
    for word in ("sealed.perftui", "./sealed.perftui", "last", "s3://b/a.perftui", "nothing"):
        assert not means_many(word), word
    assert len(sources_of("*.perftui", [])) == 4
    monkeypatch.setenv("PERFTUI_RECORDINGS", str(folder))
    monkeypatch.chdir(tmp_path)
    assert [source.name for source in sources_of("o*", [])] == ["older", "own"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nothing-*.perftui", "FROM metrics"], "no recording matches nothing-*.perftui"),
        (["{folder}/*.perftui", "FROM nowhere"], "nowhere"),
        (["{folder}/*.perftui", "DELETE FROM recordings"], "only read"),
        (["{folder}/*.perftui", "FROM read_csv('/etc/passwd')"], "disabled"),
        (["s3:///*.perftui", "FROM metrics"], "names no bucket"),
    ],
)
def test_bad_input_in_one_line(
    folder: Path, words: list[str], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", *(word.format(folder=folder) for word in words)]) == 2
    told = capfd.readouterr()
    assert says in told.err
    assert told.out == ""


def test_what_there_is_to_ask_is_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["query", f"{folder}/"]) == 0
    told = capfd.readouterr().out
    assert "recordings: a row for each recording" in told
    assert "recording, function" in told
    assert "4 recordings" in told
