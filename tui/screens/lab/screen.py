"""The screen of `perftui bench` and `perftui matrix`: figures as strips, runs below, the verdict.

The runs are made on a thread of their own, which hands over a finished picture after each; between
two of them only the clock goes on, twice a second: the screen should take nothing from what is
measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perftui.tui.screens.answering import AnsweringScreen
from perftui.tui.screens.lab import words
from perftui.tui.screens.lab.face import OVER
from perftui.tui.screens.lab.keys import KEYS, LAB_BINDINGS, MORE, hints_of
from perftui.tui.screens.lab.layout import chosen_figures, plan
from perftui.tui.screens.lab.strips import columns_for, figure_lines
from perftui.tui.terminal.theme import paint_of
from perftui.tui.widgets.draw.canvas import Canvas

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from perftui.tui.screens.lab.face import LabPicture, ShownLab
    from perftui.tui.screens.lab.layout import LabLayout
    from perftui.tui.terminal.theme import Paint

REFRESH_HZ = 2


class RunTable(Canvas):
    """The runs; a click chooses one."""

    def on_click(self, event: events.Click) -> None:
        """Choose the run under the mouse."""
        screen = self.screen
        if isinstance(screen, LabScreen):
            screen.choose_line(event.y)
        event.stop()


class LabScreen(AnsweringScreen):
    """See the module."""

    DEFAULT_CSS = """
    LabScreen #lab-header { background: $panel; height: 1; width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = LAB_BINDINGS
    HELP_KEYS, HELP_MORE = KEYS, MORE

    def __init__(self, lab: ShownLab) -> None:
        super().__init__()
        self.lab = lab
        self.chosen: int | None = None
        """Number of the row of the chosen run; None: the newest, whichever that is."""
        self._layout_now: LabLayout | None = None
        self._drawn: tuple[object, ...] = ()
        self._header = Canvas(id="lab-header")
        self._figures = Canvas(id="lab-figures")
        self._runs = RunTable(id="lab-runs")
        self._verdict = Canvas(id="lab-verdict")

    def compose(self) -> ComposeResult:
        """All parts, from above."""
        yield self._header
        yield self._figures
        yield self._runs
        yield self._verdict
        yield self._footer
        yield self._too_small

    def on_mount(self) -> None:
        """Begin to draw."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.redraw())
        self.set_interval(1 / REFRESH_HZ, self.tick)
        self.redraw()

    # -- drawing ---------------------------------------------------------------------------

    def tick(self) -> None:
        """Draw the clock, and all else where there is another picture."""
        if not self.is_current:
            return
        picture = self.lab.picture()
        if self._drawn[:1] != (picture,) or self._answer.now != self._drawn[-1]:
            self.redraw()
        elif picture.stage not in OVER:
            self._draw_header(picture, paint_of(self.app))

    def redraw(self) -> None:
        """Draw the picture that is there."""
        if not self.is_attached:
            return
        picture, (width, height) = self.lab.picture(), self.app.size
        fits, layout = self._fits(width, height), self._lay_out(picture, height)
        if not fits:
            self._too_small.refresh()
            return
        paint = paint_of(self.app)
        answer = self._answer.now or ""
        self._drawn = (picture, self._answer.now)
        with self.app.batch_update():
            self._draw_header(picture, paint)
            self._draw_figures(picture, layout, width, paint)
            chosen = self.chosen
            self._runs.put(words.run_lines(picture, layout.runs, chosen, width, paint))
            self._verdict.put(words.verdict_lines(picture, answer, layout.verdict, width, paint))
            hints = hints_of(
                runs=bool(picture.rows), opens=picture.records, over=picture.stage in OVER
            )
            self._footer.show(hints, "", width, paint)

    def _draw_header(self, picture: LabPicture, paint: Paint) -> None:
        width = self.app.size.width
        self._header.put([words.header_line(picture, self.lab.elapsed_s(), width, paint)])

    def _draw_figures(
        self, picture: LabPicture, layout: LabLayout, width: int, paint: Paint
    ) -> None:
        if not picture.figures:
            self._figures.put(words.made_lines(picture, layout.figures, width, paint))
            return
        shown = chosen_figures(picture.figures, layout.figures, axis=layout.axis)
        columns = columns_for(width, shown)
        lines = [
            line.adjust_cell_length(width)
            for figure in shown
            for line in figure_lines(figure, columns, self._row(picture), paint, axis=layout.axis)
        ]
        self._figures.put(lines)

    def _lay_out(self, picture: LabPicture, height: int) -> LabLayout:
        layout = plan(height, [len(each.lanes) for each in picture.figures], len(picture.rows))
        if layout != self._layout_now:
            self._layout_now = layout
            self._figures.styles.height = layout.figures
            self._runs.styles.height = layout.runs
            self._verdict.styles.height = layout.verdict
        return layout

    def _row(self, picture: LabPicture) -> int | None:
        """Return the row whose marks are picked out: the chosen one, else the newest."""
        if self.chosen is not None:
            return self.chosen
        return len(picture.rows) - 1 if picture.stage == "running" else None

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size at once."""
        self.redraw()

    def on_screen_resume(self) -> None:
        """Catch up after a recording, or a dialog."""
        self.redraw()

    # -- keys and mouse --------------------------------------------------------------------

    def action_step(self, by: int) -> None:
        """Choose a run some rows further on."""
        rows = len(self.lab.picture().rows)
        if rows:
            now = rows if self.chosen is None and by < 0 else self.chosen
            now = rows - 1 if now is None else now
            self.chosen = min(max(now + by, 0), rows - 1)
        self.redraw()

    def action_newest(self) -> None:
        """Follow the newest run."""
        self.chosen = None
        self.redraw()

    def choose_line(self, y: int) -> None:
        """Choose the run that a line of the table shows."""
        if self._layout_now is None:
            return
        at = words.row_at(self.lab.picture(), self._layout_now.runs, self.chosen, y)
        if at is not None:
            self.chosen = at
            self.redraw()

    def action_open_run(self) -> None:
        """Show the recording of the chosen run."""
        from perftui.tui.screens.live.recorded import recorded_screen

        picture = self.lab.picture()
        at = len(picture.rows) - 1 if self.chosen is None else self.chosen
        if not 0 <= at < len(picture.rows):
            self.say("no run has ended yet")
            return
        row = picture.rows[at]
        if row.recording is None:
            self.say(
                f"{row.name} was not recorded" if picture.records
                else f"{row.name} was not recorded: --keep all records every run, with its stacks"
            )  # fmt: skip
            return
        try:
            screen = recorded_screen(row.recording)
        except OSError as error:
            self.say(f"{row.name} cannot be opened: {error}")
            return
        self.app.push_screen(screen)
