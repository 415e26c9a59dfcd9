"""What lives when a program has begun is left out of later collections."""

from __future__ import annotations

import gc

from perftui.probes.own.collector import spare_what_lives


def test_what_lives_is_not_looked_at_again() -> None:
    limits = gc.get_threshold()
    kept = [{} for _ in range(10)]
    try:
        spare_what_lives()
        looked_at = {id(each) for each in gc.get_objects()}
        assert not looked_at & {id(each) for each in kept}
        later: list[object] = []
        later.append(later)
        number = id(later)
        del later
        assert any(id(each) == number for each in gc.get_objects())
        gc.collect()
        assert not any(id(each) == number for each in gc.get_objects()), "garbage is still found"
    finally:
        gc.unfreeze()
        gc.set_threshold(*limits)
