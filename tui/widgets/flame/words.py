"""The words of the flame: names of frames and reasons, and why there is nothing to draw."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from perftui.probes.profile import place as code_place
from perftui.probes.spine.calltree import ROOT
from perftui.tui.text.fit import clean, shorten_end, shorten_middle, width_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perftui.probes.profile.folding import Fold
    from perftui.probes.spine.calltree import Frame
    from perftui.tui.picture.view import View


def frame_label(frame: Frame, line: int, mains: frozenset[str] = frozenset()) -> str:
    """Name a frame: its function, and where that is in the fewest words.

    Args:
        frame: To name.
        line: That it stood in longest.
        mains: File names of the programs' main modules.
    """
    name = name_of(frame, mains)
    if not frame.file or name.startswith("import "):
        return name
    return f"{name}  {place_of(frame.module, frame.file, line)}"


def name_of(frame: Frame, mains: frozenset[str] = frozenset()) -> str:
    """Name a frame: its function, or the module whose code it is."""
    return clean(code_place.called(frame.function, frame.file, mains))


def fold_label(fold: Fold, entered: Frame) -> str:
    """Name frames that are folded, and by what they were called."""
    return f"▸ {clean(fold.words)}  {name_of(entered)}"


def mains_of(view: View) -> frozenset[str]:
    """Return the file names of the main modules that run in a session."""
    argvs = (view.target.argv, *(process.argv for process in view.processes))
    return code_place.mains_of(argvs)


def mains_seen(view: View, nodes: Iterable[int]) -> frozenset[str]:
    """Return the same, and the files of what nobody called among some nodes of the call tree."""
    tree = view.tree
    roots = (node for node in nodes if node != ROOT and tree.parent(node) == ROOT)
    return mains_of(view) | {code_place.file_name(tree.frame(node).file) for node in roots}


@lru_cache(maxsize=4096)
def place_of(module: str, file: str, line: int) -> str:
    """Say where code is: module for installed packages, file name for one's own code."""
    return clean(code_place.place_of(module, file, line))


def wait_label(waiting: str) -> str:
    """Say what a thread waited for; nobody knows more than that it did not run otherwise."""
    if not waiting:
        return "off CPU"
    waiting = clean(waiting)
    return waiting if waiting.startswith("waiting") else f"waiting in {waiting}"


@lru_cache(maxsize=8192)
def inside(label: str, width: int) -> str:
    """Fit a label into a box behind its edge: the name before the place, or nothing legible."""
    if width <= 2:
        return " " * width
    name, gap, place = label.partition("  ")
    room = width - 1
    if width_of(label) > room:
        left = room - width_of(name) - 2
        if left >= 6:
            label = name + gap + shorten_middle(place, left)
        elif name.startswith(("waiting ", "▸ ")):
            label = shorten_end(name, width)
        else:
            label = shorten_middle(name, width)
    return label + " " * (width - width_of(label))


def why_empty(view: View) -> tuple[str, ...]:
    """Say why there is no thread to draw, and what to do about it."""
    status = view.status
    if view.stacks:
        return ("this thread has no stacks in this range", "< > another thread · esc all threads")
    if status.stack_backend is None:
        if status.state in ("starting", "live"):
            return (
                "no stacks yet: they come with the first sampling window, 0.2 s",
                "if this stays, the header or the Log tab says why; `perftui doctor` explains",
            )
        return ("no stacks were sampled in this session",)
    if view.narrowed:
        return ("no stacks in this range", "esc clears the range")
    return ("no samples in this range yet: stacks start with the first window, 0.2 s",)


def why_no_weight(weight: str) -> tuple[str, ...]:
    """Say why a thread has nothing of a weight."""
    if weight == "grown":
        return ("memory did not grow in this range on this thread", "w another weight")
    if weight == "touched":
        return ("no page faults were counted on this thread in this range", "w another weight")
    if weight == "waiting":
        return ("this thread did not wait in this range", "w another weight")
    if weight == "cpu":
        return ("this thread used no CPU in this range: it waited", "w another weight")
    return ("no time was seen on this thread in this range", "< > another thread")
