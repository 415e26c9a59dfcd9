"""Modules that are being loaded: what rises meanwhile is theirs, as at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.detect.evidence.history import History
    from perftui.probes.detect.evidence.observations import ImportBegan, ImportEnded

LONG_IMPORT_S, LONGEST_IMPORT_S = 1.0, 60.0
"""What rises while modules are imported is theirs, as at the start. An import that does not end is
the program itself. The latter by the program's own time: on a busy machine it waits for cores."""
NEXT_MODULE_S, LONGEST_OF_MANY_S = 8.0, 600.0
"""One that goes on to load modules is an import for longer."""


class Loading:
    """Follows the imports of a program.

    Args:
        history: Of its memory, and of its own time.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._imports: dict[str, tuple[float, float]] = {}
        """When those that run began, and when that was in own time."""
        self._modules, self._module_own_s = 0, 0.0
        """How many had been loaded, and when the newest was, in own time."""
        self.last = 0
        """The bucket in which the last long import ended, or to which it has come."""

    def read(self, modules: int) -> None:
        """Take how many modules have been loaded."""
        if modules != self._modules:
            self._modules, self._module_own_s = modules, self._history.own_s

    def began(self, began: ImportBegan) -> None:
        """Take the begin of an import."""
        self._imports[began.module] = began.t_s, self._history.own_s

    def ended(self, ended: ImportEnded) -> bool:
        """Take the end of an import; tells whether it was a long one that loaded something."""
        began = self._imports.pop(ended.module, None)
        age_s = ended.dur_s if began is None else self._history.own_s - began[1]
        if ended.dur_s < LONG_IMPORT_S or not self._is_load(age_s):
            return False
        self.last = self._history.end
        return True

    def goes_on(self, now_s: float) -> bool:
        """Tell whether a long import loads something now."""
        for began_s, began_own_s in self._imports.values():
            age_s = self._history.own_s - began_own_s
            if now_s - began_s >= LONG_IMPORT_S and self._is_load(age_s):
                self.last = self._history.end
                return True
        return False

    def _is_load(self, age_s: float) -> bool:
        """Tell whether an import of that own age loads something, and is not the program's work."""
        if age_s <= LONGEST_IMPORT_S:
            return True
        newest_s = self._history.own_s - self._module_own_s
        return age_s <= LONGEST_OF_MANY_S and newest_s <= NEXT_MODULE_S
