"""The tools of `perftui mcp`, spoken by the official SDK (extra `mcp`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.version import __version__
from perftui.tui.mcp.own_command import Failed, asked, asked_json
from perftui.tui.mcp.reach import OutOfReach, Reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server import MCPServer

_INSTRUCTIONS = """\
Recordings of programs that perftui watched: CPU, memory, Python stacks, waits, imports, phases.
Begin with list_recordings and explain: it ranks what happened, each finding with its evidence and
with SQL that proves it. Then query and stacks_at for details. Times are seconds since the start of
a recording, sizes bytes. A figure that is null is not known; may_be_wrong says what an answer rests
on. Nothing can be changed through these tools."""
_MOST_ROWS = 1000
_QUERY_S = 20.0
"""After which a query is ended by DuckDB, which says so."""


class Tools:
    """What an agent may ask. Every answer is JSON; a recording is named as in `list_recordings`.

    Args:
        reach: Which recordings may be named.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def list_recordings(self, limit: int = 20) -> dict[str, Any]:
        """List the newest recordings: name, when, length, peak memory, number of alerts, how it
        ended. `last` names the newest one."""
        told: dict[str, Any] = asked_json("list", "recordings", "--json")
        rows = told["recordings"][: max(limit, 1)]
        return {"recordings": rows, "of": len(told["recordings"]), "files": self._reach.others()}

    def explain(self, recording: str = "last") -> dict[str, Any]:
        """Say what happened in a recording: at most five findings ranked by impact, each with its
        evidence, the line of code, what to do next, and SQL for `query` that shows its figure."""
        answer: dict[str, Any] = asked_json("explain", self._reach.checked(recording), "--json")
        return answer

    def summary(self, recording: str = "last") -> dict[str, Any]:
        """Return the summary of a recording: duration, CPU, memory, alerts, top functions, imports,
        phases, what memory was made of, how sure the figures are."""
        answer: dict[str, Any] = asked_json("summary", self._reach.checked(recording), "--json")
        return answer

    def tables(self, recording: str = "last") -> str:
        """Return the tables, views, columns with units and example statements for `query`."""
        return asked("query", self._reach.checked(recording))

    def query(self, sql: str, recording: str = "last", rows: int = 100) -> list[dict[str, Any]]:
        """Run one SELECT (DuckDB) over a recording; at most `rows` rows come back.

        Examples: FROM top_self LIMIT 10; FROM top_total(10, 12.5); FROM alerts; see `tables`."""
        answer: list[dict[str, Any]] = asked_json(
            "query",
            "--format=json",
            f"--limit={min(max(rows, 1), _MOST_ROWS)}",
            f"--timeout={_QUERY_S:g}",
            "--",  # what follows is no option, whatever it begins with
            self._reach.checked(recording),
            sql,
        )
        return answer

    def stacks_at(self, at_s: float, recording: str = "last") -> list[dict[str, Any]]:
        """Return the stack of every thread at a moment, in seconds since the start."""
        return self.query(f"FROM stack_at({float(at_s)!r})", recording, _MOST_ROWS)

    def compare(self, base: str, new: str) -> dict[str, Any]:
        """Compare two recordings: which figures, functions, imports and alerts changed, and whether
        that is more than noise. One run each gives no verdict."""
        answer: dict[str, Any] = asked_json(
            "compare", self._reach.checked(base), self._reach.checked(new), "--json", "--headless"
        )
        return answer


def build(reach: Reach) -> MCPServer:
    """Return the server with all tools.

    Raises:
        ImportError: the SDK is not installed.
    """
    from functools import wraps

    from mcp.server import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import ToolAnnotations

    def told(tool: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(tool)
        def call(*args: Any, **options: Any) -> Any:
            try:
                return tool(*args, **options)
            except (OutOfReach, Failed) as error:
                raise ToolError(str(error)) from error

        return call

    server = MCPServer(
        "perftui", version=__version__, instructions=_INSTRUCTIONS, log_level="WARNING"
    )
    tools = Tools(reach)
    reads = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
    for tool in (
        tools.list_recordings,
        tools.explain,
        tools.summary,
        tools.tables,
        tools.query,
        tools.stacks_at,
        tools.compare,
    ):
        server.add_tool(told(tool), annotations=reads)
    return server
