"""Who made memory grow, in words: each answer with the question it answers, none instead of
another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.memory.blame import keepers_of, notes_of, rises_of
from perftui.probes.profile.memory.growth import CANNOT_TELL, grown_by_function
from perftui.probes.profile.place import in_words, listed
from perftui.probes.text.units import format_bytes, format_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perftui.probes.profile.memory.blame import Keeping, Rose
    from perftui.probes.profile.memory.growth import Grown
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.reader import Blame, ThreadTree

    CallTreeOf = Callable[[int, int], Sequence[ThreadTree]]

LEAST_SHARE = 0.2
"""Of the largest: what is less is not said in a sentence."""
MOST_SAID = 2
UNNAMED = "no name of the program's"
"""So begins the note of a census that has not found who keeps most of it."""


def kept_words(kept: Keeping) -> str:
    """Say what came to hold more: "CACHE dict of Row +240, 24 MB ◀ enrich leak.py:7"."""
    of = f" of {kept.of}" if kept.of else ""
    grew = f" +{format_count(kept.entries)}" if kept.entries else ""
    by = "" if kept.code is None else f" ◀ {kept.code}"
    about = "about " if kept.sampled else ""
    return f"{kept.what} {kept.type}{of}{grew}, {about}{format_bytes(kept.bytes)}{by}"


def rose_words(rose: Rose) -> str:
    """Say how memory rose in a function: "Row.__init__ leak.py:4 +23.7 MB in 237 calls"."""
    where = "elsewhere" if rose.code is None else str(rose.code)
    calls = f" in {format_count(rose.calls)} calls" if rose.calls else ""
    sign = "+" if rose.rss_bytes >= 0 else "-"
    return f"{where} {sign}{format_bytes(abs(rose.rss_bytes))}{calls}"


def grown_words(grown: Grown) -> str:
    """Say where the samples met memory being touched, or among whom they cannot tell."""
    row = grown.row
    if grown.confidence == CANNOT_TELL:
        if not grown.within:
            return ""
        return f"thread {grown.thread}, within a sample of: {listed(grown.within)}"
    return f"{in_words(row.function, row.file, row.line)} in thread {grown.thread}"


def evidence_words(
    tree: CallTree, threads: Sequence[ThreadTree], blame: Blame, call_tree: CallTreeOf
) -> str:
    """Return the clauses of an alert about growth: where, in which function, who keeps.

    Args:
        tree: The session's.
        threads: Stacks of the alert's span.
        blame: What was found out from inside in that span.
        call_tree: As of `Reader`.
    """
    said = []
    grown = grown_by_function(tree, threads)[:1]
    if grown and grown[0].confidence == CANNOT_TELL and grown[0].within:
        said.append(f"touched by {grown_words(grown[0])}")
    rises = [row for row in rises_of(blame) if row.rss_bytes > 0]
    if rises:
        most = max(row.rss_bytes for row in rises)
        large = [row for row in rises if row.rss_bytes >= LEAST_SHARE * most][:MOST_SAID]
        said.append("measured at entry and exit: " + ", ".join(map(rose_words, large)))
    keepers = keepers_of(blame, tree, call_tree)
    if keepers:
        large_kept = [each for each in keepers if each.bytes >= LEAST_SHARE * keepers[0].bytes]
        said.append("held by " + ", ".join(map(kept_words, large_kept[:MOST_SAID])))
    said += [note for note in notes_of(blame, "census") if not keepers and note.startswith(UNNAMED)]
    return "; ".join(said)
