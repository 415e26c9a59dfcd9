"""Coding agents ask recordings through the SDK's own client; nothing can be written, all ends."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from support.recordings.made import make_own

from perftui.probes.own.python import own_module
from perftui.tui.mcp import own_command
from perftui.tui.mcp.own_command import Failed, asked
from perftui.tui.mcp.reach import OutOfReach, Reach

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

mcp = pytest.importorskip("mcp", reason="the SDK is not installed (extra mcp)")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shelf of two recordings."""
    folder = tmp_path_factory.mktemp("shelf")
    make_own(folder / "a.perftui", 32)
    make_own(folder / "b.perftui", 33)
    return folder


def test_only_recordings_within_reach_may_be_named(tmp_path: Path) -> None:
    inside, outside = tmp_path / "kept", tmp_path / "elsewhere"
    (inside / "a.perftui").mkdir(parents=True)
    (outside / "b.perftui").mkdir(parents=True)
    (inside / "way-out.perftui").symlink_to(outside / "b.perftui")
    reach = Reach(tmp_path / "shelf", [inside])
    assert reach.checked("last") == "last"
    assert reach.checked(str(inside / "a.perftui")) == str((inside / "a.perftui").resolve())
    assert reach.others() == [str(inside / "a.perftui"), str(inside / "way-out.perftui")]
    for name in (
        str(outside / "b.perftui"),
        str(inside / ".." / "elsewhere" / "b.perftui"),
        str(inside / "way-out.perftui"),
        "/etc/passwd",
        "../elsewhere/b.perftui",
        str(inside),
        "--output",
        "a,b",
        "",
        "a\0b",
    ):
        with pytest.raises(OutOfReach):
            reach.checked(name)


def test_a_call_ends_and_an_answer_has_an_end(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_command, "own_module", lambda *_: ["sleep", "60"])
    with pytest.raises(Failed, match=r"no answer after 0\.2 s"):
        asked("explain", limit_s=0.2)
    monkeypatch.setattr(own_command, "own_module", lambda *_: ["cat", "/dev/zero"])
    with pytest.raises(Failed, match=r"the answer has more than 0\.4 MB; ask for fewer"):
        asked("query")


def _with_client(shelf: Path, play: Callable[[Any], Awaitable[None]]) -> None:
    """Start `perftui mcp` as an agent would, and let `play` ask it."""

    async def run() -> None:
        command, *words = own_module("perftui", "mcp")
        server = mcp.StdioServerParameters(
            command=command, args=words, env={**os.environ, "PERFTUI_RECORDINGS": str(shelf)}
        )
        async with mcp.Client(server) as client:
            await play(client)

    asyncio.run(asyncio.wait_for(run(), 120))


def _answer(result: Any) -> Any:
    """Return what a tool said, as an agent reads it."""
    assert not result.is_error, result.content
    return json.loads(result.content[0].text)


@pytest.mark.live
def test_an_agent_asks_what_happened_and_proves_it(shelf: Path) -> None:
    target = shelf / "never.csv"

    async def play(client: Any) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {
            "list_recordings", "explain", "summary", "tables", "query", "stacks_at", "compare",
        }  # fmt: skip
        assert all(tool.annotations.read_only_hint for tool in tools.values())
        assert all(tool.description for tool in tools.values())
        told = _answer(await client.call_tool("explain", {"recording": "a"}))
        assert told["findings"]
        proof = told["findings"][0]["sql"]
        result = await client.call_tool("query", {"recording": "a", "sql": proof, "rows": 3})
        assert not result.is_error
        assert result.structured_content["result"], "the finding's own SQL has rows"
        refused = await client.call_tool(
            "query", {"recording": "a", "sql": f"COPY (SELECT 1) TO '{target}'"}
        )
        assert refused.is_error
        assert not target.exists()

    _with_client(shelf, play)


@pytest.mark.live
def test_every_tool_answers_by_a_real_client(shelf: Path) -> None:
    async def play(client: Any) -> None:
        listed = _answer(await client.call_tool("list_recordings", {}))
        assert {row["name"] for row in listed["recordings"]} == {"a", "b"}
        summary = _answer(await client.call_tool("summary", {"recording": "a"}))
        assert summary["schema"] == 1
        tables = await client.call_tool("tables", {"recording": "a"})
        assert "top_self" in tables.content[0].text
        stacks = await client.call_tool("stacks_at", {"recording": "a", "at_s": 2.0})
        assert stacks.structured_content["result"]
        compared = _answer(await client.call_tool("compare", {"base": "a", "new": "b"}))
        assert compared["schema"] == 1
        lacks = await client.call_tool(
            "query", {"recording": "a", "sql": "SELECT callback FROM loop_blocks, metrics"}
        )
        assert lacks.is_error
        assert "not recorded: loop_blocks" in lacks.content[0].text
        none = await client.call_tool(
            "query", {"recording": "a", "sql": "FROM metrics WHERE pid = -1"}
        )
        assert none.structured_content["result"] == []
        nothing = await client.call_tool("explain", {"recording": "no-such"})
        assert nothing.is_error
        assert "no-such" in nothing.content[0].text
        late = await client.call_tool(
            "query",
            {"recording": "a", "sql": "SELECT count(*) FROM range(1e9::BIGINT) a, range(1000) b"},
        )
        assert late.is_error, "a query that never ends is ended"

    _with_client(shelf, play)
