"""A program that cannot be asked is not asked, for the reason that holds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from perftui.probes.agent_link.launch import agent_environment
from perftui.probes.session_parts.requests import SessionRequests
from perftui.probes.target.target import AttachedTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.agent_link.launch import AgentChannel


@pytest.fixture
def deaf() -> Iterator[AgentChannel]:
    """The channel of a program that was launched with --hands-off."""
    _, _, channel = agent_environment(
        os.environ,
        tracer_pid=os.getpid(),
        line_buffered=False,
        hears_orders=False,
        captures=None,
    )
    yield channel
    channel.close_child_ends()
    channel.close()


@pytest.mark.parametrize("has_agent", [True, False])
def test_every_request_is_refused_with_the_same_reason(deaf: AgentChannel, has_agent: bool) -> None:
    target = AttachedTarget(os.getpid())
    requests = SessionRequests(target, deaf, lambda: has_agent)
    said = set()
    for ask in (requests.release, requests.list_tasks, lambda: requests.trace_allocations(1.0)):
        with pytest.raises(OSError) as refused:
            ask()
        said.add(str(refused.value))
    (text,) = said
    assert ("--hands-off" in text) == has_agent
    target.leave()
