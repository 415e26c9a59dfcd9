"""Where a thread's stack is expected to lie, learned from the last time it was read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Settled:
    """The outer part of a stack: see `reading.settled`."""

    __slots__ = ("address", "codes", "content", "end", "far", "frames", "hits", "replaced")

    def __init__(
        self,
        address: int,
        content: bytes,
        far: list[tuple[int, bytes]],
        frames: list[int],
        codes: list[int],
        end: tuple[int, int],
        replaced: int,
    ) -> None:
        self.address = address
        """Of its innermost frame."""
        self.content = content
        """Of the newest chunk, from its beginning to the end of that frame."""
        self.far = far
        """Frames of it that lie elsewhere, and their bytes."""
        self.frames = frames
        self.codes = codes
        self.end = end
        """Address and owner of the outermost frame."""
        self.replaced = replaced
        """Code objects that had been found to be others by then."""
        self.hits = 0


class KnownChain:
    """Frames at certain places, and the stacks that they were: see `reading.known`."""

    __slots__ = (
        "behind",
        "others",
        "places",
        "replaced",
        "settled",
        "signatures",
        "stacks",
        "words",
    )

    def __init__(
        self,
        places: list[int],
        settled: Settled | None,
        replaced: int,
        signatures: bytes,
        words: Callable[[bytearray], tuple[int, ...]],
        behind: Callable[[bytearray], tuple[int, ...]],
        others: Callable[[bytearray], tuple[int, ...]] | None,
    ) -> None:
        self.places = places
        """The frames that are walked, innermost first."""
        self.settled = settled
        """What follows them; None: nothing."""
        self.others = others
        """Takes the callers of all other frames elsewhere out of what is read."""
        self.behind = behind
        """Takes the code object and the caller of a frame behind them out of what is read."""
        self.replaced = replaced
        """Code objects that had been found to be others by then."""
        self.signatures = signatures
        """Those by which its code objects were found to be what they were, see `reading.alive`."""
        self.words = words
        """Takes out of what is read all that a walk looks at."""
        self.stacks: dict[tuple[int, ...], tuple[tuple[int, ...], int]] = {}
        """Those words -> the stack, and its node."""


Places = tuple[int, int, int, list[int], list[int], list[int], list[tuple[int, int]]]


class Guess:
    """One thread state. Everything here but its address is a guess; a wrong one costs a read."""

    __slots__ = (
        "cframes",
        "chunk",
        "codes",
        "content",
        "cut",
        "extras",
        "frames",
        "generation_at",
        "gil",
        "interpreter",
        "leaf_pieces",
        "leaves",
        "length",
        "many_codes",
        "misses",
        "native",
        "node",
        "older",
        "older_seen",
        "replaced",
        "rest_walks",
        "resting",
        "settled",
        "signatures",
        "state",
        "task",
    )

    def __init__(
        self, state: int, native: int, interpreter: int, gil: int, generation_at: int = 0
    ) -> None:
        self.state = state
        """Address of the PyThreadState."""
        self.native = native
        """The thread's number as the target knows it."""
        self.interpreter = interpreter
        """Id of its interpreter, 0 for the main one."""
        self.gil = gil
        """Which of the process's GILs it needs: index into `Interpreters.gils`."""
        self.generation_at = generation_at
        """3.14+: where its interpreter counts the code objects that were freed, else 0."""
        self.frames: tuple[int, ...] = ()
        """Frame ids as last read, innermost first."""
        self.codes: list[int] = []
        """The code objects of the stack that was believed last, innermost first."""
        self.many_codes = False
        """Not all of them are among `leaves`."""
        self.node = -1
        self.task = 0
        """Address of the asyncio task that ran, 0 for none."""
        self.resting = 0
        """Sweeps for which it is not tried: reading it was dear, and failed."""
        self.cut = 2
        """So many of the innermost frames are left out of what is remembered as settled."""
        self.misses = 0
        """So often in turn it was not what was remembered."""
        self.rest_walks = 0
        """Walks for which nothing is remembered."""
        self.forget()

    def places(self) -> Places:
        """Return all that says what is read of it.

        The lists are never changed in place: the same list, at one look, has the same content.
        """
        return (
            self.generation_at,
            self.chunk,
            self.length,
            self.cframes,
            self.extras,
            self.leaves,
            self.older,
        )

    def doubt(self) -> None:
        """The stack that was believed last, and its code objects, may be others by now."""
        self.frames, self.node, self.codes = (), -1, []
        self.leaves: list[int] = []
        """Code objects whose signatures are read along with the stack, where there is no count of
        those that were freed."""
        self.leaf_pieces: list[int] = []
        """Where those lie: address, size, address, size, ..."""
        self.signatures = b""
        """Theirs, as they were found to be right; or the count."""

    def forget(self) -> None:
        """Nothing is known any more but the thread state."""
        self.doubt()
        self.cframes: list[int] = []
        """3.11, 3.12: addresses of its C frames, the newest seen first. A thread goes to and fro
        between a few: each call of C that calls Python has one."""
        self.chunk = 0
        """Newest chunk of the data stack, and so many bytes of it are used."""
        self.length = 0
        self.older: list[tuple[int, int]] = []
        """Older chunks: address, bytes used."""
        self.older_seen: dict[int, tuple[int, int, bytes, list[int], list[int], int, int, int]] = {}
        """Older chunk -> (`Codes.replaced`, entered at, its bytes, frame ids, code objects, goes on
        at, last frame, its owner): chunks that still hold the same bytes are not walked again."""
        self.extras: list[int] = []
        """Frames outside of the chunks: of generators, and those on the C stack."""
        self.settled: Settled | None = None
        self.content: bytes | bytearray = b""
        """All that was read of it when `node` was believed."""
        self.replaced = -1
        """Code objects that had been found to be others by then."""
