"""A latch is set once, for all who wait."""

from __future__ import annotations

from threading import Thread

from perftui.probes.spine.latch import Latch


def test_all_who_wait_go_on_and_nobody_waits_again() -> None:
    latch, went = Latch(), []
    threads = [Thread(target=lambda: went.append(latch.wait(60))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert not latch.is_set()
    latch.set()
    latch.set()
    for thread in threads:
        thread.join(60)
    assert went == [True] * 3
    assert latch.is_set()
    assert latch.wait(60)


def test_time_goes_by() -> None:
    latch = Latch()
    assert not latch.wait(0.001)
    assert not latch.wait(-1), "what is late does not wait"
    assert not latch.wait(0)
    latch.set()
    assert latch.wait(-1)
