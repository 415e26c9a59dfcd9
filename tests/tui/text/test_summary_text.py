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


def test_a_function_that_waits_is_told_from_one_that_works() -> None:
    summary = summarize(SyntheticSession().reader)
    names = {"works": (9.9, 0.1), "naps": (5.0, 5.0), "sleeps": (0.0, 10.0), "never": (0.0, 0.0)}
    summary["stacks"]["top"] = [
        {
            "function": name,
            "file": "etl.py",
            "line": 3,
            "self_pct": 25.0,
            "total_pct": 25.0,
            "cpu_s": cpu_s,
            "waiting_s": waiting_s,
        }
        for name, (cpu_s, waiting_s) in names.items()
    ]

    def ends(backend: str) -> dict[str, str]:
        summary["stacks"]["backend"] = backend
        lines = [line for line in summary_text(summary).splitlines() if "etl.py:3" in line]
        found = dict(zip(names, lines, strict=True))
        return {name: line.partition("etl.py:3")[2].strip() for name, line in found.items()}

    assert ends("own sampler") == {
        "works": "",
        "naps": "waits 50 %",
        "sleeps": "waits",
        "never": "",
    }
    assert set(ends("py-spy").values()) == {""}  # there it would be an estimate
