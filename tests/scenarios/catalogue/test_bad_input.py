"""Disks that are too small or become full, and scenarios that are interrupted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.scenarios.scenario_runs import argv, environment, need, run
from support.waiting import PATIENCE_S, wait_for

from perftui.scenarios.data import cache as scenario_cache
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.run.disk_full import disk_full_words, says_disk_full
from perftui.scenarios.servers import postgres as server_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

MOUNT_BYTES = 300_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 MB, made of memory."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={MOUNT_BYTES}", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no mount here: {error}")
    if done.returncode:
        pytest.skip(f"mounting is not permitted: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def answers(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has its own answer to a signal by now."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (number - 1) & 1)


@pytest.mark.parametrize(
    "words",
    [
        ("stream-vs-collect", "mode=stream", "size=900GB"),
        ("false-streaming", "size=150MB"),
        ("csv-chunks", "mode=chunks", "size=900GB"),
        ("duckdb-query", "rows=1_000_000_000"),
        ("plan-check", "rows=1_000_000_000"),
        ("loader", "rows=1M", "repeats=1000"),
        ("batch-size", "rows=1M", "repeats=1000"),
        ("row-vs-batch", "rows=100k"),
        ("lancedb-query", "rows=10M", "dim=512"),
        ("store-queries", "rows=10M", "dim=512"),
        ("users", "rows=100M"),
        ("io-wait", "size=900GB"),
        ("cold-start", "engines=duckdb", "rows=1_000_000_000"),
        ("persistent-worker", "engine=duckdb", "rows=1_000_000_000"),
    ],
    ids=lambda words: words[0],
)
def test_data_that_do_not_fit_are_refused_before_they_are_made(
    small_disk: Path, words: tuple[str, ...]
) -> None:
    need("duckdb", "pyarrow", "lancedb")
    done = run(small_disk / "cache", *words, fails=2)
    assert "the data need" in done.stderr
    assert f"{small_disk / 'cache'}" in done.stderr
    assert "choose a smaller size" in done.stderr
    left = [file for file in small_disk.rglob("*") if file.is_file() and file.stat().st_size]
    assert left == []


def test_how_much_is_needed_and_how_much_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = type("Usage", (), {"free": 250_000_000})
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: free)
    scenario_cache.check_disk(tmp_path, 50_000_000)
    with pytest.raises(ScenarioError, match=r"need 60.0 MB and .* has 250 MB free, of which 200"):
        scenario_cache.check_disk(tmp_path, 60_000_000)
    with pytest.raises(ScenarioError, match=r"need 300 MB and .* has 250 MB free: choose"):
        scenario_cache.check_disk(tmp_path, 300_000_000)


def test_a_server_that_does_not_fit_is_refused_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if server_postgres.postgres_binaries() is None:
        pytest.skip("no PostgreSQL server is installed")
    # Ours alone: others may have servers in the folder that all share.
    made: list[str] = []
    make = tempfile.mkdtemp

    def noted(*words: str, **options: str) -> str:
        made.append(make(*words, **options))
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", noted)
    with (
        pytest.raises(ScenarioError, match=r"need 2.00 PB .* or set TMPDIR to a folder on"),
        server_postgres.postgres_server("", 10**13),
    ):
        pass
    assert not any(Path(folder).exists() for folder in made)


@pytest.mark.live
@pytest.mark.parametrize(
    ("words", "module"),
    [
        (("loader", "target=sqlite", "rows=20000", "repeats=33"), "sqlite3"),
        (("loader", "target=parquet", "rows=50000", "repeats=13"), "pyarrow"),
        (("loader", "target=lancedb", "rows=50000", "repeats=12"), "lancedb"),
        (("loader", "target=delta", "rows=20000", "repeats=20"), "deltalake"),
        (("loader", "target=duckdb", "rows=20000", "repeats=30"), "duckdb"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_disk_that_becomes_full_is_one_line(
    small_disk: Path, words: tuple[str, ...], module: str
) -> None:
    need(module, "pyarrow")
    cache = small_disk / "cache"
    child = subprocess.Popen(
        argv(*words),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(cache),
    )
    try:
        # The first load is there: now somebody else takes all that is left.
        wait_for(lambda: list((cache / "scratch").glob("loader-*/0/*")) or child.poll())
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(bytes(1_000_000))
                    file.flush()
            except OSError:
                pass
    finally:
        _out, said = child.communicate(timeout=90)
    assert child.returncode == 2, said
    last = said.strip().splitlines()[-1]
    assert last.startswith("perftui: the disk became full ("), said
    assert "Traceback" not in said
    assert list((cache / "scratch").iterdir()) == []


@pytest.mark.live
def test_a_disk_that_becomes_full_while_data_are_made_is_one_line(small_disk: Path) -> None:
    need("pyarrow")
    cache = small_disk / "cache"
    child = subprocess.Popen(
        argv("duckdb-query", "rows=2_000_000"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(cache),
    )
    try:
        wait_for(lambda: list((cache / "data").glob("*.partial/*")) or child.poll())
        (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free - 3_000_000))
    finally:
        _out, said = child.communicate(timeout=90)
    assert child.returncode == 2, said
    assert said.count("\n") == 1, said
    assert "cannot write the data to" in said
    assert "space" in said
    assert [entry.suffix for entry in (cache / "data").iterdir()] == [".lock"]


def test_a_full_disk_as_libraries_say_it() -> None:
    assert says_disk_full(OSError(28, "No space left on device"))
    assert says_disk_full(RuntimeError("LanceError(IO): ... No space left on device (os error 28)"))
    assert says_disk_full(RuntimeError("database or disk is full"))
    outer = RuntimeError("commit failed")
    outer.__cause__ = OSError(122, "Disk quota exceeded")
    assert says_disk_full(outer)
    assert not says_disk_full(OSError(2, "No such file"))
    assert not says_disk_full(ValueError("os error 281"))
    assert "the disk became full (commit failed)" in disk_full_words(outer)


INTERRUPTED = [
    ("loader", ("rows=20000", "repeats=1000"), "scratch/loader-*/*"),
    ("row-vs-batch", ("target=sqlite", "rows=100000"), "scratch/row-vs-batch-*/1"),
    ("users", ("store=sqlite", "seconds=60"), "scratch/users-*/*.sqlite"),
    ("io-wait", ("seconds=60",), "scratch/io-wait-*/each"),
    ("persistent-worker", ("calls=10_000_000",), ""),
    ("cold-start", ("engines=stdlib", "repeats=100", "queries=10000"), ""),
    ("csv-chunks", ("mode=chunks", "passes=1000", "size=20MB"), "data/csv-*"),
    ("csv-chunks", ("size=2GB", "mode=chunks"), "data/csv-*.partial"),
    ("import-cost", ("package=unittest.mock", "repeats=1000"), ""),
    ("leak", (), ""),
    ("lock-wait", ("seconds=60",), ""),
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("name", "words", "made"), INTERRUPTED, ids=lambda value: value if "-" in value else ""
)
@pytest.mark.live
def test_an_interrupted_scenario_says_one_line_and_leaves_nothing(
    tmp_path: Path, name: str, words: tuple[str, ...], made: str, number: signal.Signals
) -> None:
    import psutil

    cache = tmp_path / "cache"
    child = subprocess.Popen(
        argv(name, *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(cache),
        # As a shell would: the terminal's signals go to the whole group. And an interrupt that
        # is ignored where the tests run is inherited: there Python installs no handler.
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )
    try:
        if made:
            wait_for(lambda: list(cache.glob(made)) or child.poll() is not None)
        else:
            wait_for(lambda: answers(child.pid, number) or child.poll() is not None)
            time.sleep(0.5)
        assert child.poll() is None, child.communicate()
        below = psutil.Process(child.pid).children(recursive=True)
        os.killpg(child.pid, number)
        _out, said = child.communicate(timeout=PATIENCE_S)
    finally:
        child.kill()
    assert child.returncode == -number
    assert said == f"perftui: {name} was interrupted; what it made is removed\n"
    _, alive = psutil.wait_procs(below, timeout=PATIENCE_S)
    assert alive == []
    scratch = cache / "scratch"
    assert not scratch.exists() or list(scratch.iterdir()) == []
    assert list(cache.glob("data/*.partial")) == []


def test_nohup_is_honoured(tmp_path: Path) -> None:
    child = subprocess.Popen(
        argv("leak", "seconds=0.8", "steady=0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN) and None,
    )
    # From here on it would answer a signal that it was not told to ignore.
    wait_for(lambda: child.poll() is not None or answers(child.pid, signal.SIGTERM))
    child.send_signal(signal.SIGHUP)
    _out, said = child.communicate(timeout=60)
    assert (child.returncode, said) == (0, "")


def test_no_writer_outlives_a_killed_scenario() -> None:
    import psutil

    writer = (
        "import time; from perftui.scenarios.data import orders_lance as writer; "
        "writer._end_with_parent(); print('here', flush=True); time.sleep(60)"
    )
    owner = (
        "import subprocess, sys; "
        f"child = subprocess.Popen([sys.executable, '-c', {writer!r}], stdout=subprocess.PIPE); "
        "child.stdout.readline(); print(child.pid, flush=True); child.wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    below = psutil.Process(pid)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs([below], timeout=PATIENCE_S)
    assert alive == [], "it would go on writing where the next scenario writes"


@pytest.mark.live
def test_what_a_killed_scenario_left_is_removed_by_the_next(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    child = subprocess.Popen(
        argv("loader", "rows=20000", "repeats=1000"),
        stdout=subprocess.DEVNULL,
        env=environment(cache),
    )
    wait_for(lambda: list(cache.glob("scratch/loader-*/*")))
    child.kill()
    child.wait()
    assert list(cache.glob("scratch/loader-*/*")) != []
    run(cache, "loader", "rows=100", "repeats=1")
