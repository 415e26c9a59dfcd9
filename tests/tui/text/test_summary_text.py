"""The summary as text, of a session in which every part of it has something to say."""

from __future__ import annotations

from support.screens.synthetic_session import SyntheticSession

from perftui.probes.summary import summarize
from perftui.tui.text.summary import summary_text


def test_a_note_on_short_bursts_stands_above_the_functions() -> None:
    summary = summarize(SyntheticSession().reader)
    assert summary["stacks"]["top"]
    summary["stacks"]["note"] = "in bursts under 0.5 ms: may be off by a third"
    lines = summary_text(summary).splitlines()
    assert "self time (in bursts under 0.5 ms: may be off by a third)" in lines
