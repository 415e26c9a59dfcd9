"""Chains of frames that lead nowhere: what lies in the target is not believed, and always ends."""

from __future__ import annotations

import pytest
from support.made_frames import CHUNK, LAYOUT, OLDER, STATE, frame, process
from support.sampler_stream import Collected

from perftui.probes.sampler.cpython.code import Codes
from perftui.probes.sampler.cpython.names import Names
from perftui.probes.sampler.guess import Guess
from perftui.probes.sampler.reading.frames import ON_C_STACK
from perftui.probes.sampler.reading.walk import Walker


@pytest.mark.parametrize(
    "frames",
    [
        {CHUNK + 24: frame(CHUNK + 24, ON_C_STACK)},
        {CHUNK + 24: frame(CHUNK + 104, ON_C_STACK), CHUNK + 104: frame(CHUNK + 24, ON_C_STACK)},
        {CHUNK + 24: frame(OLDER + 24, ON_C_STACK), OLDER + 24: frame(OLDER + 24, ON_C_STACK)},
        {CHUNK + 24: frame(OLDER + 24, ON_C_STACK), OLDER + 24: frame(CHUNK + 24, ON_C_STACK)},
        {CHUNK + 24: frame(0, 2)},
        {CHUNK + 24: frame(0, 9)},
        {CHUNK + 24: frame(0xDEAD0000, ON_C_STACK)},
        {CHUNK + 24: frame(0, 0)},
    ],
    ids=["itself", "circle", "older itself", "circle over chunks", "owner", "no owner", "nowhere",
         "no code"],
)  # fmt: skip
def test_a_chain_that_is_none(frames: dict[int, bytes]) -> None:
    memory = process(CHUNK + 24, frames)
    names = Names(Collected())
    walker = Walker(memory, LAYOUT, Codes(memory, LAYOUT, names), names)
    read = walker.alone(Guess(STATE, 7, 0, 0))
    assert read.failed or read.node == -1
    assert not read.unsteady or read.node == -1


def test_the_state_of_another_thread_is_refused() -> None:
    memory = process(CHUNK + 24, {CHUNK + 24: frame(0, ON_C_STACK)})
    names = Names(Collected())
    walker = Walker(memory, LAYOUT, Codes(memory, LAYOUT, names), names)
    assert walker.alone(Guess(STATE, 8, 0, 0)).failed
    assert not walker.alone(Guess(STATE, 7, 0, 0)).failed
