"""Who makes memory grow, as the Memory tab and the text of a summary say it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from support.screens.pane_stage import Stage, on_stage, text_of
from support.screens.pane_views import make_view

from perftui.probes.profile.memory.blame import ATTACHED, Keeping, PlaceInCode, Rose
from perftui.probes.spine.reader import Blame, Target
from perftui.probes.spine.records import GrowthLook
from perftui.tui.text.memory_growth import growth_rows, growth_title, keeper_rows, rise_rows
from perftui.tui.widgets.panes.memory import (
    MemoryPane,
    _keeper_row,
    _kind_row,
    _rise_row,
    _unasked,
)

if TYPE_CHECKING:
    from textual.pilot import Pilot

MB = 1_000_000
ENRICH = PlaceInCode("enrich", "/app/etl.py", 7)


def growth(**other: Any) -> dict[str, Any]:
    row = {
        "function": "fill",
        "file": "/app/a.py",
        "line": 3,
        "grown_bytes": 90 * MB,
        "by": "page faults of the thread",
        "confidence": "met touching it",
        "within": [],
        "why": "",
        "thread": "cache",
    }
    return {"growth": [{**row, **other}]}


def test_where_it_rose_names_the_thread_and_what_cannot_be_told() -> None:
    assert growth_rows(growth()) == [("+90.0 MB", "fill", "a.py:3", "thread cache", "")]
    (row,) = growth_rows(growth(within=["hoard", "churn"], confidence="cannot tell"))
    assert row[-1] == "cannot tell: within a sample of hoard, churn"
    (row,) = growth_rows(growth(within=["hoard"], why="huge pages: a fault is 4 KiB or 2 MiB"))
    assert row[-1] == "cannot tell: huge pages: a fault is 4 KiB or 2 MiB; hoard"
    for how in ("it, or what it calls", "measured at entry and exit", "while it imports modules"):
        (row,) = growth_rows(growth(within=["fill"] * how.startswith("it"), confidence=how))
        assert row[-1] == how
    shared = growth(by="share of CPU (estimate)")
    assert growth_title(shared) == "where memory rose, by samples: share of CPU (estimate)"
    native = growth(file="", by="page faults of native threads", within=["add"])
    assert growth_rows(native)[0][2:] == ("", "thread cache", "while these wait: add")


def test_rises_and_keepers_have_their_notes() -> None:
    looks = [
        {"by": "entry and exit", "note": "not available below Python 3.12"},
        {"by": "census", "note": "only a part was looked at: 9 objects in 50 ms"},
        {"by": "census", "note": "only a part was looked at: 9 objects (of the libraries, ...)"},
    ]
    kept = {
        "what": "etl.CACHE",
        "type": "dict",
        "of": "DataFrame",
        "entries": 90,
        "bytes": 396 * MB,
        "code": "enrich etl.py:7",
    }
    memory = {"growth": [], "rises": [], "keepers": [kept], "looks": looks}
    assert rise_rows(memory) == [("", "not available below Python 3.12", "", "", "")]
    assert keeper_rows(memory) == [
        ("+396 MB", "etl.CACHE", "dict of DataFrame", "+90", "◀ enrich etl.py:7"),
        ("", "only a part was looked at: 9 objects in 50 ms", "", "", ""),
    ]
    fell = {
        "function": None,
        "file": None,
        "line": None,
        "rss_bytes": -5 * MB,
        "touched_bytes": 0,
        "calls": 0,
    }
    assert rise_rows({"rises": [fell]}) == [("-5.00 MB", "elsewhere", "", "", "touched 0 B")]


def test_the_memory_tab_has_a_row_for_each_answer() -> None:
    keeping = Keeping(1, "etl.CACHE", "dict", "Row", 90, 200, 9 * MB, ENRICH, False, 0, 9)
    assert _keeper_row(keeping).cells == (
        "9.00 MB",
        "+90",
        "etl.CACHE",
        "dict of Row",
        "enrich etl.py:7",
    )
    rose = Rose(ENRICH, 90, -2 * MB, 3 * MB)
    assert _rise_row(rose).cells == ("-2.00 MB", "3.00 MB", "90", "enrich", "etl.py:7")
    assert _rise_row(Rose(None, 0, 0, 0)).cells[3:] == ("elsewhere", "")


def test_where_nobody_was_asked_it_says_why() -> None:
    attached = {**growth(), "unasked": ATTACHED}
    assert keeper_rows(attached) == rise_rows(attached) == [("", ATTACHED, "", "", "")]
    assert not keeper_rows({"growth": [], "unasked": ATTACHED}), "nothing grew"
    target = Target("app", ("app",), 1, None, launched=False, agent=False)
    view: Any = SimpleNamespace(blame=Blame((), (), ()), target=target)
    assert _unasked(view, grown=True) == [ATTACHED]
    assert not _unasked(view, grown=False)
    look = GrowthLook(
        9, 1, 0, "entry and exit", None, 0, 0, 0, "not available below Python 3.12", 0
    )
    view.target, view.blame = target._replace(launched=True, agent=True), Blame((look,), (), ())
    assert _unasked(view, grown=True) == ["not available below Python 3.12"]


def test_what_is_not_known_or_more_than_all_is_no_share_of_it() -> None:
    """RSS falls while a program ends: what it was made of is then known as a peak alone."""
    cells = _kind_row(("part:malloc", "malloc", None, 90 * MB, ""), 75 * MB).cells
    assert cells[1:4] == ("–", "", "90.0 MB")
    assert _kind_row(("part:malloc", "malloc", 75 * MB, None, ""), 75 * MB).cells[2] == "100 %"
    assert (
        _kind_row(("part:Python heap", "Python heap", 299 * MB, None, ""), 75 * MB).cells[2] == ""
    )


def test_code_of_a_module_is_named_by_what_ran_it() -> None:
    pane = MemoryPane()

    async def look(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view())
        text = text_of(pane)
        assert "__main__" in text
        assert "<module>" not in text

    on_stage(pane, look, (140, 30))
