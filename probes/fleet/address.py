"""Addresses of clusters, as a person types them."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Engine = Literal["dask", "ray"]

_PATTERN = re.compile(r"(dask|ray)://(\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+)(?::(\d{1,5}))?/?", re.ASCII)
DEFAULT_PORT = {"dask": 8786, "ray": 6379}


class BadAddress(ValueError):
    """It is none; the message is one line that says what is one."""


class ClusterAddress(NamedTuple):
    """Where a cluster answers."""

    engine: Engine
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.engine}://{self.host}:{self.port}"

    @property
    def host_and_port(self) -> str:
        """What the engine's own client takes, without its scheme."""
        return f"{self.host}:{self.port}"


def is_cluster(text: str) -> bool:
    """Tell whether a text is meant as the address of a cluster."""
    return text.startswith(("dask://", "ray://"))


def cluster_address(text: str) -> ClusterAddress:
    """Read an address.

    Raises:
        BadAddress: it is none.
    """
    match = _PATTERN.fullmatch(text)
    engine: Engine = "ray" if text.startswith("ray:") else "dask"
    port = 0 if match is None else int(match[3] or DEFAULT_PORT[engine])
    if match is None or not 0 < port < 65_536:
        raise BadAddress(f"{text!r} is not an address: {engine}://HOST:PORT is")
    return ClusterAddress(engine, match[2], port)
