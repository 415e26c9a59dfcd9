"""The Flame tab of a comparison: both runs in one icicle, before → after of the frame below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from perftui.probes.compare.figures import points_text
from perftui.probes.compare.flame_values import sides_of
from perftui.probes.profile.sums import NOTHING
from perftui.probes.spine.calltree import ROOT
from perftui.tui.text.fit import width_of
from perftui.tui.widgets.compare.charts import amount
from perftui.tui.widgets.flame.detail import Detail, FrameDetail, percent
from perftui.tui.widgets.flame.diff.boxes import DiffBoxes
from perftui.tui.widgets.flame.layout import lay_out

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.strip import Strip

    from perftui.probes.profile.difference import Change, Difference
    from perftui.tui.picture.compare_view import CompareView
    from perftui.tui.widgets.flame.icicle import IciclePane

_WHAT = {
    "wall": "time",
    "cpu": "CPU",
    "grown": "growth",
    "waiting": "waiting",
    "touched": "touched memory",
}


class CompareFlame(DiffBoxes):
    """The icicle."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: CompareView | None = None

    def show(self, view: CompareView) -> None:
        """Show another picture; focus and zoom stay on the same frames."""
        before = self._view
        self._view = view
        if (
            before is not None
            and before.comparison is view.comparison
            and before.choice == view.choice
        ):
            return
        self.take(view.comparison.functions.flame, view.choice.weight, view.choice.filter)
        self.redraw()

    def build(self) -> list[Strip]:
        """Return breadcrumb and rows of frames, or why there are none."""
        view, found, icicle = self._view, self._found, self._icicle
        if view is None or found is None:
            return self.words("comparing …")
        if icicle is None:
            self._rows, self._crumbs = [], []
            self.tell()
            return self.words(*_why_nothing(view))
        top = self._zoom
        while top != ROOT and not icicle.value.get(top):
            top = found.nodes[top].parent
        self._shown_top = top
        self._rows = lay_out(icicle, top, self.size.width)
        share = found.delta(found.nodes[top].total, view.choice.weight)
        words = f"{percent(share.base_share)} → {percent(share.new_share)}"
        lines = self.breadcrumb(0, found.path(top), words)
        lines += self.frame_lines(len(lines), self.size.height - len(lines))
        self.tell()
        return lines

    def root_label(self, found: Difference) -> str:
        """Say the whole of both sides."""
        base, new = (amount(side, self._weight) for side in sides_of(found.whole, self._weight))
        view = self._view
        who = view.choice.thread if view is not None and view.choice.thread else "all threads"
        return f"{who}  {_WHAT[self._weight]} {base} → {new}"

    def hint(self) -> str:
        """Say how to read it."""
        hint = "red and + more · blue and - less · new: not in the base · gone: only in the base"
        fits = width_of(hint) + 3 <= self.size.width
        return hint if fits else "+ more · - less · new · gone"

    def detail(self) -> FrameDetail | None:
        """Return before and after of the frame looked at."""
        found, looked = self._found, self._hover or self._focus
        if found is None or looked is None or looked[0] >= len(found.nodes):
            return None
        node = found.nodes[looked[0]]
        total, own = (found.delta(c, self._weight) for c in (node.total, node.self_))
        word = {"new": "not in the base", "vanished": "only in the base"}.get(total.state, "change")
        figures = (
            (
                f"share of {_WHAT[self._weight]}",
                f"{percent(total.base_share)} → {percent(total.new_share)}",
            ),
            (word, f"{points_text(total.share)} points"),
            ("total", self._both(node.total)),
            ("self", self._both(node.self_)),
            ("self share", f"{percent(own.base_share)} → {percent(own.new_share)}"),
        )
        name = "everything" if looked[0] == ROOT else self.name_of(looked[0])
        return FrameDetail(
            name,
            node.file,
            node.line,
            NOTHING,
            NOTHING,
            total.new_share,
            None,
            self._weight,
            (),
            "",
            figures,
        )

    def _both(self, change: Change) -> str:
        base, new = (amount(side, self._weight) for side in sides_of(change, self._weight))
        return f"{base} → {new}"


def _why_nothing(view: CompareView) -> tuple[str, ...]:
    if not any(run.stacks for run in view.comparison.pair):
        return ("neither run has stacks here: there is no flame to draw",)
    if view.choice.weight == "grown":
        return ("memory did not grow on either side", "w another weight")
    return ("nothing was sampled on either side", "w another weight · < > other threads")


class CompareFlamePane(Vertical):
    """Icicle and detail; the taller the pane, the more source is shown."""

    DEFAULT_CSS = """
    CompareFlamePane { height: 1fr; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.flame = CompareFlame()
        self.detail = Detail()

    def compose(self) -> ComposeResult:
        """Yield the two parts."""
        yield self.flame
        yield self.detail

    def show(self, view: CompareView) -> None:
        """Show another picture."""
        self.flame.show(view)

    def on_resize(self, event: events.Resize) -> None:
        """Share the height."""
        height = event.size.height
        self.detail.styles.height = 5 if height >= 18 else 1
        self.detail.display = height >= 5

    def on_icicle_pane_looked(self, message: IciclePane.Looked) -> None:
        """Tell about the frame."""
        message.stop()
        self.detail.tell(message.frame, message.hint)
