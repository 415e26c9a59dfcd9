"""Loader targets that are servers: PostgreSQL and Redis. Their servers are started elsewhere."""

from pathlib import Path
from typing import Any

from perftui.scenarios.loading.rows import COLUMNS, Row

_POOL_CONNECTIONS = 4


class Postgres:
    """PostgreSQL: `copy` and `executemany` on one open connection; `connect` copies each batch
    over a connection of its own, `pool` over one of a few that stay open.
    """

    def __init__(self, variant: str, dsn: str) -> None:
        import psycopg

        self._pg: Any = psycopg
        self._variant = variant
        self._dsn = dsn

    def open(self, folder: Path, name: str) -> None:
        """See `Target` in loader_targets."""
        self._table = f"perftui_{folder.parent.name}_{name}".replace("-", "_").lower()
        connections = _POOL_CONNECTIONS if self._variant == "pool" else 1
        self._pool = [self._connect() for _ in range(connections)]
        with self._pool[0].cursor() as cursor:
            cursor.execute(
                f'CREATE UNLOGGED TABLE "{self._table}" (id bigint, customer bigint, '
                "amount double precision, tax double precision, region text, note text)"
            )

    def load(self, batch: list[Row]) -> None:
        """See `Target` in loader_targets."""
        if self._variant == "connect":
            connection = self._connect()
            try:
                self._copy(connection, batch)
            finally:
                connection.close()
            return
        connection = self._pool.pop(0)
        try:
            if self._variant == "executemany":
                with connection.transaction(), connection.cursor() as cursor:
                    sql = f'INSERT INTO "{self._table}" VALUES (%s, %s, %s, %s, %s, %s)'
                    cursor.executemany(sql, batch)
            else:
                self._copy(connection, batch)
        finally:
            self._pool.append(connection)

    def _copy(self, connection: Any, batch: list[Row]) -> None:
        columns = ", ".join(COLUMNS)
        with (
            connection.cursor() as cursor,
            cursor.copy(f'COPY "{self._table}" ({columns}) FROM STDIN') as copy,
        ):
            for row in batch:
                copy.write_row(row)

    def stored(self) -> int:
        """See `Target` in loader_targets."""
        with self._pool[0].cursor() as cursor:
            cursor.execute(f'SELECT count(*) FROM "{self._table}"')
            return int(cursor.fetchone()[0])

    def close(self) -> None:
        """See `Target` in loader_targets."""
        with self._pool[0].cursor() as cursor:
            # The server may be the user's own: nothing of ours stays there.
            cursor.execute(f'DROP TABLE IF EXISTS "{self._table}"')
        for connection in self._pool:
            connection.close()

    def _connect(self) -> Any:
        return self._pg.connect(self._dsn, autocommit=True)


class Redis:
    """Redis: a `hash` per row, a `string` per row, or all rows in one `zset` by amount.

    With a pipeline a batch is one round trip; without, every row is.
    """

    def __init__(self, variant: str, url: str) -> None:
        import redis

        self._redis: Any = redis
        self._kind, _, singly = variant.partition("-")
        self._singly = bool(singly)
        self._url = url

    def open(self, folder: Path, name: str) -> None:
        """See `Target` in loader_targets."""
        self._client = self._redis.Redis.from_url(self._url)
        self._prefix = f"perftui:{folder.parent.name}:{name}"

    def load(self, batch: list[Row]) -> None:
        """See `Target` in loader_targets."""
        if self._singly:
            for row in batch:
                self._put(self._client, row)
            return
        with self._client.pipeline(transaction=False) as pipeline:
            for row in batch:
                self._put(pipeline, row)
            pipeline.execute()

    def _put(self, commands: Any, row: Row) -> None:
        if self._kind == "hash":
            values = dict(zip(COLUMNS[1:], row[1:], strict=True))
            commands.hset(f"{self._prefix}:{row[0]}", mapping=values)
        elif self._kind == "string":
            commands.set(f"{self._prefix}:{row[0]}", "|".join(map(str, row[1:])))
        else:
            commands.zadd(self._prefix, {f"{row[0]}|{row[4]}|{row[5]}": row[2]})

    def stored(self) -> int:
        """See `Target` in loader_targets."""
        if self._kind == "zset":
            return int(self._client.zcard(self._prefix))
        return sum(1 for _ in self._keys())

    def close(self) -> None:
        """See `Target` in loader_targets."""
        # The server may be the user's own: nothing of ours stays there.
        self._client.delete(self._prefix)
        keys = []
        for key in self._keys():
            keys.append(key)
            if len(keys) == 1000:
                self._client.delete(*keys)
                keys.clear()
        if keys:
            self._client.delete(*keys)
        self._client.close()

    def _keys(self) -> Any:
        return self._client.scan_iter(match=f"{self._prefix}:*", count=10_000)
