"""The tables that all threads of a Firefox profile share: strings, sources, functions, stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.export.material.names import plain

if TYPE_CHECKING:
    from perftui.probes.export.material.timeline import StackTimeline
    from perftui.probes.spine.calltree import Frame


class SharedTables:
    """Columns that grow as stacks are asked for. A caller comes before what it calls.

    Args:
        times: Whose stacks they are; its frames are lines.
        categories: Index of a category by its name in lower case.
    """

    def __init__(self, times: StackTimeline, categories: dict[str, int]) -> None:
        self._times = times
        self._categories = categories
        self._strings: dict[str, int] = {}
        self._sources: dict[str, int] = {}
        self._funcs: dict[tuple[str, str], int] = {}
        self._func_rows: list[tuple[int, int | None]] = []  # name, source
        self._frames: dict[tuple[int, int, int], int] = {}
        self._frame_rows: list[tuple[int, int, int | None]] = []  # category, func, line
        self._stacks: dict[int, int] = {}
        self._waiting: dict[tuple[int, str], int] = {}
        self._stack_frames: list[int] = []
        self._stack_prefixes: list[int | None] = []

    def string(self, text: str) -> int:
        """Return the index of a text."""
        return self._strings.setdefault(text, len(self._strings))

    def stack(self, stack: int) -> int:
        """Return the index of a stack of the timeline."""
        found = self._stacks.get(stack)
        if found is not None:
            return found
        prefix: int | None = None
        for node in self._times.path(stack):
            known = self._stacks.get(node)
            if known is None:
                known = self._stacks[node] = len(self._stack_frames)
                self._stack_frames.append(self._frame(self._times.frame(node)))
                self._stack_prefixes.append(prefix)
            prefix = known
        return self._stacks[stack]

    def waiting(self, stack: int, category: str) -> int:
        """Return the index of a stack whose innermost frame waits: it has another category."""
        found = self._waiting.get((stack, category))
        if found is None:
            plain_one = self.stack(stack)
            found = self._waiting[stack, category] = len(self._stack_frames)
            leaf = self._times.frame(self._times.path(stack)[-1])
            self._stack_frames.append(self._frame(leaf, category))
            self._stack_prefixes.append(self._stack_prefixes[plain_one])
        return found

    def _frame(self, frame: Frame, category: str = "") -> int:
        func = self._func(frame)
        kind = self._categories[category or ("native" if frame.kind == "native" else "python")]
        key = (func, frame.line, kind)
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = len(self._frame_rows)
            line = frame.line if frame.line > 0 else None
            self._frame_rows.append((kind, func, line))
        return found

    def _func(self, frame: Frame) -> int:
        key = (frame.function, frame.file)
        found = self._funcs.get(key)
        if found is None:
            found = self._funcs[key] = len(self._func_rows)
            source = None
            if frame.file:
                source = self._sources.setdefault(frame.file, len(self._sources))
            self._func_rows.append((self.string(plain(frame.function) or "?"), source))
        return found

    def shared(self) -> dict[str, Any]:
        """Return the tables as version 60 has them, once all stacks were asked for."""
        frames, funcs = len(self._frame_rows), len(self._func_rows)
        files = [self.string(plain(file)) for file in self._sources]
        return {
            "stackTable": {
                "frame": self._stack_frames,
                "prefix": self._stack_prefixes,
                "length": len(self._stack_frames),
            },
            "frameTable": {
                "address": [-1] * frames,
                "inlineDepth": [0] * frames,
                "category": [row[0] for row in self._frame_rows],
                "subcategory": [0] * frames,
                "func": [row[1] for row in self._frame_rows],
                "nativeSymbol": [None] * frames,
                "innerWindowID": [0] * frames,
                "line": [row[2] for row in self._frame_rows],
                "column": [None] * frames,
                "length": frames,
            },
            "funcTable": {
                "name": [row[0] for row in self._func_rows],
                "isJS": [False] * funcs,
                "relevantForJS": [False] * funcs,
                "resource": [-1] * funcs,
                "source": [row[1] for row in self._func_rows],
                "lineNumber": [None] * funcs,
                "columnNumber": [None] * funcs,
                "length": funcs,
            },
            "resourceTable": {"length": 0, "lib": [], "name": [], "host": [], "type": []},
            "nativeSymbols": {
                "libIndex": [],
                "address": [],
                "name": [],
                "functionSize": [],
                "length": 0,
            },
            "sources": {"length": len(files), "id": [None] * len(files), "filename": files},
            "stringArray": list(self._strings),
        }
