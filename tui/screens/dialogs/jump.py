"""Jump mode: letters on all that can be clicked; typing them clicks it."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from textual import events
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import ComposeResult
    from textual.screen import Screen

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""Of labels, those under the fingers first."""
MOST = len(LETTERS) ** 2
assert set(LETTERS) == set(string.ascii_lowercase)


@runtime_checkable
class HasSpots(Protocol):
    """A widget with places that can be clicked."""

    def jump_spots(self) -> Iterable[tuple[int, int]]:
        """Return their (x, y) within the widget; the first cell of each."""
        ...


class JumpTarget(NamedTuple):
    """One place of the screen."""

    widget: Widget
    x: int
    """Within the widget, as is y."""
    y: int


def labels_for(count: int) -> list[str]:
    """Return as many labels, none the beginning of another: as many of one letter as can be."""
    pairs = 0
    while len(LETTERS) - pairs + pairs * len(LETTERS) < count:
        pairs += 1
    single = len(LETTERS) - pairs
    found = [*LETTERS[:single], *(a + b for a in LETTERS[single:] for b in LETTERS)]
    return found[:count]


def targets_of(screen: Screen[Any]) -> list[JumpTarget]:
    """Return what can be jumped to on a screen, from the top; what is hidden is left out."""
    found = []
    for widget in screen.walk_children(Widget):
        if not widget.is_on_screen or not widget.visible:
            continue
        size = widget.size
        spots = widget.jump_spots() if isinstance(widget, HasSpots) else ()
        found += [
            JumpTarget(widget, x, y)
            for x, y in spots
            if 0 <= x < size.width and 0 <= y < size.height
        ]
    found.sort(key=lambda t: (t.widget.content_region.y + t.y, t.widget.content_region.x + t.x))
    return found[:MOST]


def click(target: JumpTarget) -> None:
    """Do to a place what the mouse would do."""
    widget = target.widget
    if widget.focusable:
        widget.focus(scroll_visible=False)
    region = widget.content_region
    at = (region.x + target.x, region.y + target.y)
    for kind in (events.MouseDown, events.MouseUp, events.Click):
        widget.post_message(kind(widget, target.x, target.y, 0, 0, 1, False, False, False, *at))


class _Label(Static):
    DEFAULT_CSS = """
    _Label {
        position: absolute; height: 1;
        background: $link; color: $on-link; text-style: bold;
    }
    """


class JumpScreen(ModalScreen[JumpTarget | None]):
    """Shows the labels and waits for letters; any other key closes it."""

    CSS = """
    JumpScreen { background: $background 0%; }
    """

    STANDS_STILL = True
    """See `dialogs.standing`: letters lie where the targets were."""

    def __init__(self, targets: Sequence[JumpTarget]) -> None:
        super().__init__()
        self._targets = dict(zip(labels_for(len(targets)), targets, strict=True))
        self._labels = {label: _Label(label) for label in self._targets}
        self._typed = ""

    def compose(self) -> ComposeResult:
        """Yield the labels."""
        yield from self._labels.values()

    def on_mount(self) -> None:
        """Put the labels in their places."""
        for label, shown in self._labels.items():
            target = self._targets[label]
            region = target.widget.content_region
            shown.styles.width = len(label)
            shown.styles.offset = (region.x + target.x, region.y + target.y)

    def on_key(self, event: events.Key) -> None:
        """Follow what is typed."""
        event.stop()
        event.prevent_default()
        typed = self._typed + (event.character or "")
        left = [label for label in self._targets if label.startswith(typed)]
        if not event.is_printable or not left:
            self.dismiss(None)
        elif typed in self._targets:
            self.dismiss(self._targets[typed])
        else:
            self._typed = typed
            for label, shown in self._labels.items():
                shown.display = label in left

    def on_click(self, event: events.Click) -> None:
        """Close."""
        event.stop()
        self.dismiss(None)
