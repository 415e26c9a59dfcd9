"""Which files of two sessions are the same code: they may lie in other folders, environments,
interpreters or checkouts.

An installed file is named by its path inside site-packages or the standard library. Any other is
named by its whole path; where only one side has that, it is paired with the file of the other
side that ends in the most equal parts, if exactly one does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from perftui.probes.spine.calltree import installed_path

if TYPE_CHECKING:
    from collections.abc import Iterable

_ABI = re.compile(r"\.(?:cpython-\w+|abi3|cp\d+)(?:-[\w-]+)?(?=\.(?:so|pyd)$)")


@lru_cache(maxsize=8192)
def place_key(file: str) -> str:
    """Name a file so that another environment's copy of it gets the same name.

    The ABI tag of an extension module is left out: another Python has another one.
    """
    inside = installed_path(file)
    return _ABI.sub("", file.replace("\\", "/") if inside is None else inside)


def paired_places(base: Iterable[str], new: Iterable[str]) -> dict[str, str]:
    """Pair the places that only one of two sides has.

    Args:
        base: Names from `place_key`.
        new: Those of the other side.

    Returns:
        Place of `base` -> place of `new`; a place has at most one partner.
    """
    base_set, new_set = set(base), set(new)
    lonely: dict[str, list[list[str]]] = {}
    for place in sorted(new_set - base_set):
        if "/" in place:
            parts = place.split("/")
            lonely.setdefault(parts[-1], []).append(parts)
    offers: dict[str, list[tuple[int, str]]] = {}
    for place in sorted(base_set - new_set):
        parts = place.split("/")
        ranked = sorted(
            ((_equal_ends(parts, other), "/".join(other)) for other in lonely.get(parts[-1], ())),
            reverse=True,
        )
        if ranked and "/" in place and (len(ranked) == 1 or ranked[0][0] > ranked[1][0]):
            offers.setdefault(ranked[0][1], []).append((ranked[0][0], place))
    pairs = {}
    for partner, places in offers.items():
        places.sort(reverse=True)
        if len(places) == 1 or places[0][0] > places[1][0]:
            pairs[places[0][1]] = partner
    return pairs


def _equal_ends(one: list[str], other: list[str]) -> int:
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count
