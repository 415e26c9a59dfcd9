"""Stacks that were walked before, and are known again without a walk.

A program goes to and fro between a few lines. Where the chain of frames goes through the same
places as lately, everything that a walk looks at lies at the same offsets of what is read: all of
it is taken in one call, and if it is what it was once, so is the stack. What makes a stack
believed (nobody behind it, the same code objects, the same outer part) is checked each time anew.
"""

from __future__ import annotations

import struct

from ..cpython.layout import Layout
from ..guess import KnownChain, Settled
from .batch import ReadPlan
from .settled import stands

_MOST_CHAINS, _MOST_STACKS = 4, 64
_MOST_WALKED = 12
"""Frames outside of the settled part; of more, the same ones are hardly met again."""

_FORMS = {8: "Q", 4: "I", 1: "B"}
_word = struct.Struct("<Q").unpack_from


def _spans(plan: ReadPlan, layout: Layout, places: list[int]) -> list[tuple[int, int]]:
    """Return (offset, size) of each word that decides which stack it is."""
    spans = [(plan.state + layout.native_id, 8), (plan.state + layout.chunk, 8)]
    low, high = plan.guess.chunk, plan.guess.chunk + plan.length - layout.frame_size
    for place in places:
        if low <= place <= high:
            at = place - low + plan.copy
        else:
            at = plan.extras[place]
        spans += ((at + field, size) for field, size in layout.frame_words)
    return sorted(spans)


def _picker(spans: list[tuple[int, int]]):  # type: ignore[no-untyped-def]
    """Return what unpacks integers of so many bytes."""
    form, end = ["<"], 0
    for at, size in spans:
        form.append(f"{at - end}x{_FORMS[size]}")
        end = at + size
    return struct.Struct("".join(form)).unpack_from


def _key(chain: KnownChain, raw: bytearray) -> tuple[int, ...]:
    """Return what decides which stack it is: the words of its frames, and which of the frames
    elsewhere, that are none of them, may have been called by one of them."""
    words = chain.words(raw)
    if chain.others is None:
        return words
    callers, places = chain.others(raw), chain.places
    for word in callers:
        if word in places:
            return (*words, *[each if each in places else 0 for each in callers])
    return words


def recall(plan: ReadPlan, raw: bytearray, replaced: int) -> int:
    """Return the node of the stack in `raw` if it is known, else -1; nothing is raised.

    Args:
        plan: What `raw` holds.
        raw: The bytes of one thread.
        replaced: `Codes.replaced`.
    """
    guess = plan.guess
    for chain in plan.known:
        found = chain.stacks.get(_key(chain, raw))
        if found is None:
            continue
        settled = chain.settled
        if (
            settled is not guess.settled
            or chain.replaced != replaced
            or chain.signatures != guess.signatures
        ):
            plan.known.remove(chain)
            return -1
        if not (plan.apart or raw.startswith(guess.signatures, plan.leaves)):
            return -1
        # Behind a frame lies what it has called before, or what it calls now.
        behind = chain.behind(raw)
        if behind[0] and (behind[1] == chain.places[0] or behind[1] in plan.extras):
            return -1
        walked = len(chain.places)
        if settled is not None and not stands(guess, settled, plan, raw, walked, replaced):
            return -1
        guess.frames, guess.node = found
        return found[1]
    return -1


def remember(
    plan: ReadPlan,
    raw: bytearray,
    layout: Layout,
    visited: list[int],
    codes: list[int],
    entries: list[int],
    end: int,
    replaced: int,
) -> None:
    """Remember a stack that was just believed, if its chain was there the last time, too.

    Args:
        plan: What `raw` holds.
        raw: The bytes of one thread.
        layout: Of the process.
        visited: Each frame of the chain, up to the settled part.
        codes: The code objects, innermost first.
        entries: Which of `visited` have none.
        end: Of the innermost frame, which lies in the newest chunk.
        replaced: `Codes.replaced`.
    """
    guess = plan.guess
    settled: Settled | None = guess.settled
    walked = len(visited)
    if settled is not None:
        if settled.address not in visited:
            return
        walked = visited.index(settled.address)
    places = visited[:walked]
    if places != plan.walked:
        plan.walked = places
        return
    # It is read along whether all of them are what they were.
    if not 0 < walked <= _MOST_WALKED or not guess.signatures:
        return
    if guess.many_codes or (plan.leaves < 0 and not plan.apart):
        return
    if not plan.holds():
        return
    for chain in plan.known:
        if (
            chain.places == places
            and chain.settled is settled
            and chain.replaced == replaced
            and chain.signatures == guess.signatures
        ):
            break
    else:
        low, high = guess.chunk, guess.chunk + plan.length - layout.frame_size
        others = [place for place in places if not low <= place <= high]
        if not plan.extras.keys() >= set(others) or end > high:
            return
        words = _picker(_spans(plan, layout, places))
        behind = _picker([(field + end - low + plan.copy, 8) for field in layout.who])
        apart = [
            (offset + layout.who[1], 8) for at, offset in plan.extras.items() if at not in places
        ]
        callers = _picker(sorted(apart)) if apart else None
        chain = KnownChain(places, settled, replaced, guess.signatures, words, behind, callers)
        plan.known = [chain, *plan.known[: _MOST_CHAINS - 1]]
    if len(chain.stacks) >= _MOST_STACKS:
        chain.stacks.clear()
    chain.stacks[_key(chain, raw)] = guess.frames, guess.node
