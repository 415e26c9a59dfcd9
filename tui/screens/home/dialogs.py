"""What the home screen asks: a new name, whether to delete, the parameters of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from perftui.tui.text.fit import clean

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from perftui.scenarios.define.parameters import Parameter
    from perftui.scenarios.run.runner import Scenario


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


class AskYes(ModalScreen[bool]):
    """A question; only `y` says yes."""

    CSS = """
    AskYes { align: center middle; background: $background 60%; }
    AskYes > Static {
        width: 70; max-width: 100%; height: auto; border: round $error; background: $panel;
        padding: 1 2; border-subtitle-color: $accent;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", show=False),
        Binding("n,escape,enter,q", "answer(False)", "no", show=False),
    ]

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self._box = Static(question, markup=False)
        self._box.border_subtitle = f"y {yes} · n leave it"

    def compose(self) -> ComposeResult:
        """One box."""
        yield self._box

    def action_answer(self, yes: bool) -> None:
        """Answer."""
        self.dismiss(yes)


class _Field(Horizontal):
    DEFAULT_CSS = """
    _Field { height: 1; width: 100%; }
    _Field > .field--name { width: 18; color: $foreground; }
    _Field > Input { width: 26; height: 1; border: none; padding: 0 1; background: $background; }
    _Field > Input:focus { border: none; background: $accent 25%; }
    _Field > .field--about { width: 1fr; height: 1; padding: 0 1; color: $foreground 55%; }
    """

    def __init__(self, name: str, value: str, about: str) -> None:
        super().__init__()
        self.field = name
        self.input = Input(value, compact=True, select_on_focus=False)
        self._about = about

    def compose(self) -> ComposeResult:
        """Name, value, what is accepted."""
        yield Static(self.field, markup=False, classes="field--name")
        yield self.input
        yield Static(self._about, markup=False, classes="field--about")


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
        self._fields = [
            _Field(
                parameter.name,
                default_text(parameter),
                clean(" · ".join(filter(None, (parameter.accepts(), parameter.help)))),
            )
            for parameter in scenario.parameters
        ]
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
            for field, parameter in zip(self._fields, self._scenario.parameters, strict=True)
            if field.input.value != default_text(parameter)
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


def default_text(parameter: Parameter) -> str:
    """Return what stands in the field of a parameter at first."""
    from perftui.scenarios.define.parameters import REQUIRED

    return "" if parameter.default is REQUIRED else parameter.format(parameter.default)


def clean_lines(text: str) -> str:
    """Make every line harmless."""
    return "\n".join(clean(line) for line in text.splitlines())
