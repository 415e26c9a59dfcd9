"""What lives when a program has begun is left out of later collections."""

from __future__ import annotations

from support.fresh import said_afresh

PROGRAM = """
import gc
from perftui.probes.own.collector import spare_what_lives

kept = [{} for _ in range(10)]
spare_what_lives()
looked_at = {id(each) for each in gc.get_objects()}
assert not looked_at & {id(each) for each in kept}

later = []
later.append(later)
number = id(later)
del later
assert any(id(each) == number for each in gc.get_objects())
gc.collect()
assert not any(id(each) == number for each in gc.get_objects()), "garbage is still found"
print("as it should be")
"""


def test_what_lives_is_not_looked_at_again() -> None:
    assert said_afresh(PROGRAM) == "as it should be\n"
