"""The summary as text, of a session in which every part of it has something to say."""

from __future__ import annotations

from support.screens.synthetic_session import SyntheticSession

from perftui.probes.profile.collected import collections_json
from perftui.probes.spine.records import Collected
from perftui.probes.summary import summarize
from perftui.tui.text.summary import summary_text


def test_a_note_on_short_bursts_stands_above_the_functions() -> None:
    summary = summarize(SyntheticSession().reader)
    assert summary["stacks"]["top"]
    summary["stacks"]["note"] = "in bursts under 0.5 ms: may be off by a third"
    lines = summary_text(summary).splitlines()
    assert "self time (in bursts under 0.5 ms: may be off by a third)" in lines


def test_collections_whose_pauses_are_not_known_are_counted() -> None:
    summary = summarize(SyntheticSession().reader)
    rows = [
        Collected(10, 7, 0, generation, n, 0, 0, 0, 0) for generation, n in ((0, 99_000), (2, 500))
    ]
    summary["gc"] = collections_json(rows, 10)
    lines = [line.split() for line in summary_text(summary).splitlines()]
    assert ["generation", "0", "n", "99000", "pauses", "are", "not", "told"] in lines
    assert ["generation", "2", "n", "500", "pauses", "are", "not", "told"] in lines
    for row in summary["gc"]["generations"]:
        row["collections"] = 0
    assert "pauses are not told" not in summary_text(summary)
