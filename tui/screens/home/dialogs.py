"""What the home screen asks: a new name, the parameters of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from perftui.tui.text.fit import clean, shorten_end, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from perftui.scenarios.define.parameters import Parameter
    from perftui.scenarios.run.runner import Scenario

MOST_CELLS = 56
"""All values of a parameter are shown if they need no more; else one is typed."""


class AskText(ModalScreen[str | None]):
    """One line of text; dismisses with it, or None."""

    CSS = """
    AskText { align: center middle; background: $background 60%; }
    AskText > Input {
        width: 70; max-width: 100%; height: 3; border: round $accent; background: $panel;
        padding: 0 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "leave", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._input = Input(text)
        self._input.border_title = title
        self._input.border_subtitle = "enter rename · esc leave"

    def compose(self) -> ComposeResult:
        """One input."""
        yield self._input

    def on_mount(self) -> None:
        """Take the keys."""
        self._input.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.value.strip() or None)

    def action_leave(self) -> None:
        """Answer nothing."""
        self.dismiss(None)


class OneOf(Static, can_focus=True):
    """All values that there are, in a row; ←→, space or a click choose."""

    DEFAULT_CSS = """
    OneOf { height: 1; width: auto; padding: 0 1; background: $background; }
    OneOf:focus { background: $accent 25%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "value before", show=False),
        Binding("right,space", "step(1)", "next value", show=False),
    ]

    class Changed(Message):
        """Another value was chosen."""

    def __init__(self, values: Sequence[str], value: str) -> None:
        super().__init__("", markup=False)
        self._values = values
        self.value = value

    def on_mount(self) -> None:
        """Show the values."""
        self._show()

    def _show(self) -> None:
        line = Text()
        for value in self._values:
            on = value == self.value
            line.append(f"[{clean(value)}]" if on else f" {clean(value)} ", "bold" if on else "dim")
        self.update(line)

    def _take(self, index: int) -> None:
        self.value = self._values[index % len(self._values)]
        self._show()
        self.post_message(self.Changed())

    def action_step(self, step: int) -> None:
        """Choose the value beside; there is none behind a required one that is open."""
        known = self.value in self._values
        here = self._values.index(self.value) if known else -1 if step > 0 else 0
        self._take(here + step)

    def on_click(self, event: events.Click) -> None:
        """Choose the value under the mouse."""
        end = 1  # a blank at the left
        for index, value in enumerate(self._values):
            end += width_of(clean(value)) + 2
            if event.x < end:
                self._take(index)
                return


class _Field(Horizontal):
    DEFAULT_CSS = """
    _Field { height: 1; width: 100%; }
    _Field > .field--name { width: 18; color: $foreground; }
    _Field > Input { width: 26; height: 1; border: none; padding: 0 1; background: $background; }
    _Field > Input:focus { border: none; background: $accent 25%; }
    _Field > .field--about { width: 1fr; height: 1; padding: 0 1; color: $foreground 55%; }
    """

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.field = parameter.name
        self.default = default_text(parameter)
        values = values_of(parameter)
        self.input = (
            OneOf(values, self.default)
            if values
            else Input(self.default, compact=True, select_on_focus=False)
        )
        about = ("" if values else parameter.accepts(), parameter.help)
        self._about = clean(" · ".join(filter(None, about)))
        self._said = Static("", markup=False, classes="field--about")

    def compose(self) -> ComposeResult:
        """Name, value, what is accepted."""
        yield Static(self.field, markup=False, classes="field--name")
        yield self.input
        yield self._said

    def on_resize(self) -> None:
        """Say as much about it as there is room for."""
        self.call_after_refresh(self._say)

    def _say(self) -> None:
        self._said.update(shorten_end(self._about, max(self._said.content_size.width, 0)))


class RunForm(ModalScreen[tuple[str, ...] | None]):
    """The parameters of a scenario, with their defaults; dismisses with the words of `run`."""

    CSS = """
    RunForm { align: center middle; background: $background 60%; }
    RunForm > Vertical {
        width: 110; max-width: 100%; height: auto; max-height: 100%; border: round $accent;
        background: $panel; padding: 0 1; border-title-color: $foreground;
    }
    RunForm VerticalScroll { height: auto; max-height: 16; }
    RunForm .form--shows { color: $foreground 75%; height: auto; padding: 0 0 1 0; }
    RunForm .form--words { color: $foreground 55%; height: auto; padding: 1 0 0 0; }
    RunForm .form--problem { color: $error; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", show=False),
        Binding("up", "app.focus_previous", "up", show=False),
        Binding("down", "app.focus_next", "down", show=False),
    ]

    def __init__(self, scenario: Scenario) -> None:
        super().__init__()
        self._scenario = scenario
        self._fields = [_Field(parameter) for parameter in scenario.parameters]
        self._words = Static("", markup=False, classes="form--words")
        self._problem = Static("", markup=False, classes="form--problem")
        self._run = Static("", markup=False)

    def compose(self) -> ComposeResult:
        """What it shows, the fields, and the command it comes to."""
        scenario = self._scenario
        with Vertical() as box:
            box.border_title = scenario.reference
            box.border_subtitle = "enter run · ↑↓ parameter · esc leave"
            about = f"{scenario.summary}\n{scenario.shows}" if scenario.shows else scenario.summary
            yield Static(clean_lines(about), markup=False, classes="form--shows")
            with VerticalScroll(can_focus=False):
                yield from self._fields
            yield self._words
            yield self._problem

    def on_mount(self) -> None:
        """Take the keys."""
        if self._fields:
            self._fields[0].input.focus()
        self._check()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once what would be run, or what is wrong."""
        event.stop()
        self._check()

    def on_one_of_changed(self, event: OneOf.Changed) -> None:
        """Say at once what would be run."""
        event.stop()
        self._check()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Run."""
        event.stop()
        self.action_run()

    def key_enter(self) -> None:
        """Run a scenario without parameters too."""
        self.action_run()

    def action_run(self) -> None:
        """Answer, if the parameters are good."""
        if self._check():
            self.dismiss(self._asked())

    def action_leave(self) -> None:
        """Answer nothing."""
        self.dismiss(None)

    def _texts(self) -> list[str]:
        """Return NAME=VALUE of what differs from the default."""
        return [
            f"{field.field}={field.input.value}"
            for field in self._fields
            if field.input.value != field.default
        ]

    def _asked(self) -> tuple[str, ...]:
        words = [self._scenario.reference]
        for text in self._texts():
            words += ["-p", text]
        return tuple(words)

    def _check(self) -> bool:
        import shlex

        from perftui.scenarios.run.runner import ScenarioError

        problem = ""
        try:
            self._scenario.check_requirements()
            self._scenario.bind(self._texts())
        except ScenarioError as error:
            problem = str(error)
        self._words.update("" if problem else f"perftui run {shlex.join(self._asked())}")
        self._problem.update(problem)
        return not problem


def values_of(parameter: Parameter) -> tuple[str, ...]:
    """Return all values that a parameter can have, () if they are too many to be shown."""
    values = tuple(map(parameter.format, parameter.choices))
    if parameter.kind == "bool":
        values = (parameter.format(True), parameter.format(False))
    if values and parameter.optional:
        values += (parameter.format(None),)
    fits = sum(width_of(clean(value)) + 2 for value in values) <= MOST_CELLS
    return values if fits and default_text(parameter) in ("", *values) else ()


def default_text(parameter: Parameter) -> str:
    """Return what stands in the field of a parameter at first."""
    from perftui.scenarios.define.parameters import REQUIRED

    return "" if parameter.default is REQUIRED else parameter.format(parameter.default)


def clean_lines(text: str) -> str:
    """Make every line harmless."""
    return "\n".join(clean(line) for line in text.splitlines())
