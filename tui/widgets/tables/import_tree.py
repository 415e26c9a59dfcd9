"""Which imports are worth a line: a pure fold of thousands of modules to the few that cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from perftui.probes.spine.reader import Import

WORTH_SHARE = 0.01
"""A subtree below this share of all import time is folded away until it is asked for."""

LONG_NAME = 16
"""From this length on a package's name is not repeated in front of its modules."""

Ident = tuple[int, int]
"""(pid, import id)."""


class ImportLine(NamedTuple):
    """One line of the tree."""

    key: Hashable
    depth: int
    item: Import | None
    """None for the line that stands for several small ones."""
    name: str
    hidden: int
    """Modules that this line stands for besides its own."""
    open: bool | None
    """Whether it can be closed (True) or opened (False)."""
    is_now: bool
    """The innermost import that runs at this moment."""
    self_ns: int
    total_ns: int
    rss_bytes: int | None


class _Small(NamedTuple):
    """Siblings that are not worth a line each."""

    key: Hashable
    items: list[Import]


def fold_imports(
    imports: Sequence[Import], opened: Collection[Hashable], wanted: str = ""
) -> list[ImportLine]:
    """Fold imports to lines, siblings by total time.

    Args:
        imports: As the reader gives them, parents before their children.
        opened: Keys of lines whose fold state a person turned around.
        wanted: Filter; only modules that hold it and their importers are shown, unfolded.
    """
    known = {(i.pid, i.id) for i in imports}
    children: dict[Ident | None, list[Import]] = {}
    for item in imports:
        parent: Ident | None = None
        if item.parent_id is not None and (item.pid, item.parent_id) in known:
            parent = (item.pid, item.parent_id)
        children.setdefault(parent, []).append(item)
    below: dict[Ident, int] = {}
    hits: set[Ident] = set()
    for item in reversed(imports):
        ident = (item.pid, item.id)
        kids = children.get(ident, ())
        below[ident] = sum(1 + below[(kid.pid, kid.id)] for kid in kids)
        if wanted and (wanted in item.module.lower() or any((k.pid, k.id) in hits for k in kids)):
            hits.add(ident)
    worth = WORTH_SHARE * sum(item.total_ns for item in children.get(None, ()))
    lines: list[ImportLine] = []
    pending: list[tuple[Import | _Small, int, str]] = []

    def push(parent: Ident | None, depth: int, prefix: str) -> None:
        kids = sorted(children.get(parent, ()), key=lambda i: (-i.total_ns, i.t0_ns, i.id))
        if wanted:
            shown = [kid for kid in kids if (kid.pid, kid.id) in hits]
            small: list[Import] = []
        else:
            shown = [kid for kid in kids if kid.total_ns >= worth or kid.running]
            small = [kid for kid in kids if kid.total_ns < worth and not kid.running]
            if len(small) == 1:
                shown, small = shown + small, []
        if small:
            key = ("rest", parent)
            if key in opened:
                pending.extend((kid, depth + 1, prefix) for kid in reversed(small))
            pending.append((_Small(key, small), depth, prefix))
        pending.extend((kid, depth, prefix) for kid in reversed(shown))

    push(None, 0, "")
    while pending:
        entry, depth, prefix = pending.pop()
        if isinstance(entry, _Small):
            lines.append(_rest(entry, below, depth, entry.key in opened))
            continue
        item = entry
        ident = (item.pid, item.id)
        kids = children.get(ident, ())
        unfolds = bool(kids) and not wanted
        # Open by itself when a child is worth a line; a person may turn that around.
        by_itself = any(kid.total_ns >= worth or kid.running for kid in kids)
        is_open = unfolds and (by_itself != (ident in opened))
        lines.append(
            ImportLine(
                ident,
                depth,
                item,
                _short(item.module, prefix),
                0 if is_open or wanted else below[ident],
                is_open if unfolds else None,
                item.running and not any(kid.running for kid in kids),
                item.self_ns,
                item.total_ns,
                item.rss_bytes,
            )
        )
        if is_open or wanted:
            push(ident, depth + 1, item.module)
    return lines


def _rest(few: _Small, below: dict[Ident, int], depth: int, is_open: bool) -> ImportLine:
    key, small = few
    count = sum(1 + below[(kid.pid, kid.id)] for kid in small)
    rss = [kid.rss_bytes for kid in small if kid.rss_bytes is not None]
    return ImportLine(
        key,
        depth,
        None,
        f"{count} smaller modules",
        0 if is_open else count,
        is_open,
        False,
        sum(kid.self_ns for kid in small),
        sum(kid.total_ns for kid in small),
        sum(rss) if rss else None,
    )


def _short(module: str, parent: str) -> str:
    """Leave out what the importer's name says already, if that is long."""
    if len(parent) >= LONG_NAME and module.startswith(parent + "."):
        return "…" + module[len(parent) + 1 :]
    return module
