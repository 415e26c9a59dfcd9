"""Interned frames and call-tree nodes: a stack becomes one integer.

A node is (parent node, frame); node 0 is the root above every thread. Ids are given out in
order and never change, so `parent(n) < n` always holds: readers use it to walk without a
visited set and to reject a damaged file. Frames and nodes exist before any record names them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.spine.entry_point import is_entry_point

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = 0
MAX_DEPTH = 512
"""Deeper stacks keep their root side and their leaf side; the middle becomes one `…` frame."""

FRAMES_KEPT = 30_000
NODES_KEPT = 120_000
"""About 300 bytes each. Programs that make functions up as they run have ever more."""
MANY = "<more functions than are kept>"

FrameKind = Literal["py", "native", "import", "elided", "entry"]
"""`entry`: of a script that an installer wrote to start a package, see `entry_point`."""


class Frame(NamedTuple):
    """One place in code."""

    function: str
    """Qualified name where the interpreter tells it (3.11+), else the bare name."""
    file: str
    line: int
    """The line being run, 0 if unknown."""
    module: str
    """Dotted module guessed from the file, e.g. "duckdb" or "json.decoder"."""
    kind: FrameKind = "py"


class CallTree:
    """Append-only frames and nodes of a session. One writer at a time; readers need no lock."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._frames: list[Frame] = [Frame("<root>", "", 0, "")]
        self._frame_ids: dict[tuple[str, str, int], int] = {}
        self._ours: set[int] = set()
        """Frames that no stack shows: of the agent, and of what starts a scenario."""
        self._agent_frames: set[int] = set()
        self._plumbing: set[int] = set()
        """Of `runpy`, which is ours where our own frames called it, else the program's."""
        self._site: set[int] = set()
        """Of `site`, which every interpreter begins with."""
        self._importing: set[int] = set()
        """Of the import system itself."""
        self._parents: list[int] = [ROOT]
        self._frame_of: list[int] = [0]
        self._node_ids: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        """Number of nodes, the root included."""
        return len(self._parents)

    def frame_id(self, function: str, file: str, line: int, kind: FrameKind = "py") -> int:
        """Return the id of a frame, interning it if it is new."""
        key = (function, file, line)
        found = self._frame_ids.get(key)
        if found is not None:
            return found
        with self._lock:
            found = self._frame_ids.get(key)
            if found is None and len(self._frames) >= FRAMES_KEPT:
                # Ever new functions: those of one file become one frame, at last all of them.
                key = (MANY, file if len(self._frames) < FRAMES_KEPT * 1.1 else "", 0)
                kind = "elided"
                found = self._frame_ids.get(key)
                function, file, line = key
            if found is None:
                if function == "<module>" and kind == "py" and is_entry_point(file):
                    kind = "entry"
                found = len(self._frames)
                self._frames.append(Frame(function, file, line, module_of(file), kind))
                if is_agent_file(file):
                    self._agent_frames.add(found)
                    self._ours.add(found)
                elif is_starter_file(file) and function not in REST_FUNCTIONS:
                    self._ours.add(found)
                elif module_of(file) == "runpy":
                    self._plumbing.add(found)
                elif module_of(file) == "site" and is_stdlib(file):
                    self._site.add(found)
                elif file in _IMPORT_SYSTEM:
                    self._importing.add(found)
                if is_stand_in(function, file):
                    self._ours.add(found)
                self._frame_ids[key] = found
            return found

    def node_id(self, parent: int, frame: int) -> int:
        """Return the id of the node `frame` called from node `parent`."""
        key = (parent, frame)
        found = self._node_ids.get(key)
        if found is not None:
            return found
        with self._lock:
            found = self._node_ids.get(key)
            if found is None and len(self._parents) >= NODES_KEPT:
                found = self._folded(parent)
            if found is None:
                found = len(self._parents)
                # A reader counts the parents: the frame must be there before the parent is.
                self._frame_of.append(frame)
                self._parents.append(parent)
                self._node_ids[key] = found
            return found

    def _folded(self, parent: int) -> int:
        """Return the node that stands for what is called from `parent` and has no room."""
        if parent != ROOT and self.frame(parent).function == MANY:
            return parent
        many = self._frame_ids.get((MANY, "", 0))
        if many is None:
            many = len(self._frames)
            self._frames.append(Frame(MANY, "", 0, "", "elided"))
            self._frame_ids[MANY, "", 0] = many
        found = self._node_ids.get((parent, many))
        if found is None:
            if len(self._parents) >= NODES_KEPT * 1.1:
                return parent
            found = len(self._parents)
            self._frame_of.append(many)
            self._parents.append(parent)
            self._node_ids[parent, many] = found
        return found

    def intern(self, stack: Sequence[int], root: int = ROOT) -> int:
        """Return the leaf node of a stack of frame ids, outermost first, below a node.

        Frames of our own agent are left out: their time is the price of the line that called.
        So are those that start a scenario: a program's stack begins with the program's code.
        """
        node = root
        for depth, frame in enumerate(stack):
            node = self.intern_below(node, frame, outermost=not depth, root=root)
        return node

    def intern_below(self, node: int, frame: int, *, outermost: bool, root: int = ROOT) -> int:
        """Return the node of a frame called from a node, as `intern` would.

        Args:
            node: Of the caller; `root` if all callers were left out, too.
            frame: What is called.
            outermost: It has no caller at all.
            root: Where the stack begins.
        """
        if frame in self._ours:
            return node
        if node == root and not outermost and frame in self._plumbing:
            return node
        return self.node_id(node, frame)

    def intern_leaf(self, stack: Sequence[int]) -> int:
        """Return the innermost frame alone, below the root: for a stack whose path is torn."""
        for frame in reversed(stack):
            if frame not in self._ours:
                return self.node_id(ROOT, frame)
        return ROOT

    def is_own_thread(self, stack: Sequence[int]) -> bool:
        """Tell whether a stack is of a thread of our agent: none of the program's."""
        return bool(stack) and stack[0] in self._agent_frames

    def begins_interpreter(self, node: int) -> bool:
        """Tell whether a stack is of an interpreter that has not come to any program yet.

        Nothing is in it but `site` and the import system. In a launched program that is where
        our agent is loaded, and waits until it is watched: its own frames are left out, and those
        that called it are there because of it alone. What a program has run there, a
        `sitecustomize` or a `.pth` file of its own, has frames of its own.
        """
        among_site = False
        while node != ROOT:
            frame = self._frame_of[node]
            if frame in self._site:
                among_site = True
            elif frame not in self._importing:
                # A label above the stack: of a subinterpreter, of a task.
                return among_site and not self._frames[frame].file
            node = self._parents[node]
        return among_site

    def parent(self, node: int) -> int:
        """Return the calling node; the root's parent is the root."""
        return self._parents[node]

    def frame(self, node: int) -> Frame:
        """Return the frame that a node stands in."""
        return self._frames[self._frame_of[node]]

    def path(self, node: int) -> list[int]:
        """Return the nodes from the outermost frame to `node`, without the root."""
        nodes: list[int] = []
        while node != ROOT:
            nodes.append(node)
            node = self._parents[node]
        nodes.reverse()
        return nodes

    def frames_since(self, first: int) -> Iterator[tuple[int, Frame]]:
        """Yield (id, frame) from id `first` on: what a recorder has not written yet."""
        for index in range(max(first, 1), len(self._frames)):
            yield index, self._frames[index]

    def nodes_since(self, first: int) -> Iterator[tuple[int, int, int]]:
        """Yield (node, parent, frame id) from node `first` on."""
        for index in range(max(first, 1), len(self._parents)):
            yield index, self._parents[index], self._frame_of[index]


_SITE = re.compile(r".*/(?:site-packages|dist-packages)/")
_STDLIB = re.compile(r".*/lib(?:64)?/python3\.\d+t?/")
_FROZEN = re.compile(r"<frozen ([\w.]+)>")


_IMPORT_SYSTEM = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")
_HERE = Path(__file__)
_PACKAGES = sorted(
    {str(here.parents[2]) + "/" for here in (_HERE, _HERE.resolve())}, key=len, reverse=True
)
"""Where this perftui is, as it is imported and as it is on disk: links in an editable install, and
their folder may be inside of ours."""
_BESIDE = ("benchmarks/", "tests/")
"""Programs that lie beside it in a checkout are not of the package."""
_AGENT = "probes/agent/"
_STARTERS = ("probes/own/start.py", "scenarios/run/")
"""What calls a scenario's function, or a module of ours, and is called by nobody."""
_INSTALLED = re.compile(r".*/(?:site-packages|dist-packages)/perftui/")
"""A perftui that is installed in the target's interpreter."""
REST_FUNCTIONS = "OrderLine.wait", "wait"
"""Where a kept process waits for an order, qualified and plain; `target.orders` looks for it."""


_STOOD_IN = {
    "<frozen importlib._bootstrap>": (
        "_ModuleLockManager.__enter__",
        "_ModuleLockManager.__exit__",
        "_ModuleLock.acquire",
        "_ModuleLock.release",
    ),
    "<frozen importlib.util>": ("_LazyModule.__getattribute__",),
}
"""Methods of importlib that our agent stands in for (`agent/import_hooks`), in their name; what
they take is their caller's."""


def is_stand_in(function: str, file: str) -> bool:
    """Tell whether a frame may be our agent's in place of importlib's, by name or qualified name
    (which Python has from 3.11 on)."""
    names = _STOOD_IN.get(file, ())
    return any(function in (name, name.rpartition(".")[2]) for name in names)


def own_path(file: str) -> str | None:
    """Return the path of a source file within perftui, None if it is none of ours.

    A program may have files of such names: it is the place that counts.
    """
    for package in _PACKAGES:
        if file.startswith(package):
            path = file[len(package) :]
            return None if path.startswith(_BESIDE) else path
    installed = _INSTALLED.match(file)
    return None if installed is None else file[installed.end() :]


def is_agent_file(file: str) -> bool:
    """Tell whether a source file is of our own agent; a program may have files of such names."""
    path = own_path(file)
    return path is not None and path.startswith(_AGENT)


def is_starter_file(file: str) -> bool:
    """Tell whether a source file is of what starts a scenario or a helper process of one."""
    path = own_path(file)
    return path is not None and path.startswith(_STARTERS)


@lru_cache(maxsize=8192)
def module_of(file: str) -> str:
    """Guess the dotted module of a source file, "" if it has none.

    A path below site-packages or the standard library becomes its dotted name; any other file
    is a script or a project's module and becomes its stem.
    """
    frozen = _FROZEN.match(file)
    if frozen:
        return frozen[1]
    if not file or file.startswith("<"):
        return ""
    inside = installed_path(file)
    if inside is not None:
        return inside.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return file.replace("\\", "/").rpartition("/")[2].removesuffix(".py")


def installed_path(file: str) -> str | None:
    """Return the path of a file below site-packages or the standard library, None if outside."""
    path = file.replace("\\", "/")
    for pattern in (_SITE, _STDLIB):
        inside = pattern.match(path)
        if inside:
            return path[inside.end() :]
    return None


def package_of(module: str) -> str:
    """Return the top-level package of a dotted module."""
    return module.partition(".")[0]


@lru_cache(maxsize=8192)
def is_stdlib(file: str) -> bool:
    """Tell whether a file belongs to the standard library (of any interpreter)."""
    if file.startswith("<frozen "):
        return True
    path = file.replace("\\", "/")
    return bool(_STDLIB.match(path)) and not _SITE.match(path)
