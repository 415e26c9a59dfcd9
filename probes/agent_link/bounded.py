"""What a census told of a container, with the bound to which the code that fills it keeps it.

The census reads no source; here is time for it. What was told stays as it is where the source
cannot be had, has changed since, or says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.source_lines import SOURCE

if TYPE_CHECKING:
    from perftui.probes.profile.memory.bounds import KeptTo
    from perftui.probes.spine.records import Keeper

_MOST_FILLERS = 6
_ALL_LINES = 1_000_000
_MOST_LETTERS = 400_000
"""Of a source; more takes a tenth of a second."""
_MOST_KEPT = 256
_known: dict[tuple[str, int, str, int], KeptTo | None] = {}
"""By (path, line, file, hash of its source): each look asks for the same."""


def with_bound(keeper: Keeper) -> Keeper:
    """Return it with the bound behind its type: "list(len<=1500 at etl.py:30)", or
    "deque(kept short at etl.py:30)" if the number is not in the code."""
    if keeper.type.endswith(")") or not keeper.fills:
        return keeper  # it has a bound of its own, or nobody fills it
    for filler in keeper.fills.split("\n")[:_MOST_FILLERS]:
        function, file, line = (*filler.split("\t"), "", "")[:3]
        if not line.isdecimal() or not _is_still_there(file, int(line), function):
            continue
        found = _bound(keeper.what, int(line), file)
        if found is not None:
            where = f"{file.rpartition('/')[2]}:{found.line}"
            words = "kept short" if found.most is None else f"len<={found.most}"
            return keeper._replace(type=f"{keeper.type}({words} at {where})")
    return keeper


def _bound(what: str, line: int, file: str) -> KeptTo | None:
    source = "\n".join(text for _, text in SOURCE.get(file, 1, _ALL_LINES))
    key = what, line, file, hash(source)
    if key not in _known:
        from perftui.probes.profile.memory.bounds import bound_of  # `ast` is for who needs it

        while len(_known) >= _MOST_KEPT:
            _known.pop(next(iter(_known)))
        _known[key] = None if len(source) > _MOST_LETTERS else bound_of(source, what, line)
    return _known[key]


def _is_still_there(file: str, line: int, function: str) -> bool:
    """Tell whether the function begins where it did when it was loaded."""
    name = function.rpartition(".")[2]
    if name == "<module>":
        return True
    return any(
        f"def {name}" in text or text.lstrip().startswith("@")
        for _, text in SOURCE.get(file, line, 1)
    )
