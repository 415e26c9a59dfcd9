"""Does a text look drawn, as tokens are, or named, as people and things are?"""

from __future__ import annotations

from perftui.probes.own.pattern import pattern

_RUN = pattern(r"[A-Za-z\d]{8,}")
_TURNS = 3
_LONG_CHARS = 20


def looks_random(value: str) -> bool:
    """Tell whether letters and digits take turns as nobody would name anything.

    `zQ7fW0rd` and most of eight hexadecimal digits do; `k8s-e2e-bot`, `sales2024`, `v1beta2` and
    `part-00001-of-00002` do not. A long run is one by capitals, small letters and digits too.
    """
    for found in _RUN.finditer(value):
        run = found[0]
        turns = sum(a.isdigit() != b.isdigit() for a, b in zip(run, run[1:]))  # noqa: B905, RUF007 - 3.9
        if turns >= _TURNS:
            return True
        if len(run) >= _LONG_CHARS and turns and run.lower() != run != run.upper():
            return True
    return False
