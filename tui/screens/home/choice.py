"""What a person chose on the home screen: words for the command line, nothing else."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["run", "attach", "open", "compare"]
ListName = Literal["scenarios", "processes", "recordings"]


class HomeChoice(NamedTuple):
    """Something to do, and where to come back to."""

    kind: Kind
    words: tuple[str, ...]
    """As after `perftui KIND`: ("duckdb-query", "-p", "rows=1000"), ("4711",), ("/path",)."""
    list: ListName
    """The list that it came from."""
