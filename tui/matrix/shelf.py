"""The environments that are kept, as lines and as plain data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from perftui.probes.text.columns import aligned
from perftui.probes.text.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.scenarios.environments.kept import KeptEnvironment


def shelf_lines(kept: Sequence[KeptEnvironment]) -> list[str]:
    """Return a line for each, and the sum."""
    if not kept:
        return ["no environment is kept"]
    rows = [["packages", "Python", "size", "last used"]]
    rows += [
        [
            " ".join(each.packages),
            each.version,
            format_bytes(each.bytes),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(each.used_at)),
        ]
        for each in kept
    ]
    total = format_bytes(sum(each.bytes for each in kept))
    folder = kept[0].folder.parent
    return [
        *aligned(rows, right=(2,)),
        f"{total} in {folder}; remove them with `perftui matrix --prune`",
    ]


def shelf_json(kept: Sequence[KeptEnvironment]) -> dict[str, Any]:
    """Return the list, ready for `json.dumps`."""
    return {
        "environments": [
            {
                "folder": str(each.folder),
                "packages": list(each.packages),
                "python": each.version,
                "bytes": each.bytes,
                "made_at": each.made_at,
                "used_at": each.used_at,
            }
            for each in kept
        ]
    }
