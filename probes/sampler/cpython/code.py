"""Code objects of a process: name, file and lines by instruction, kept as long as they live."""

from __future__ import annotations

import struct
from bisect import bisect_right

from ..memory import Buffer, Memory
from .layout import GENERATOR_FLAGS, Layout
from .linetable import LineTable
from .names import Names
from .objects import NotSo, Objects

SIGNATURE_SIZE = 88
"""From `Layout.signature` on: fields that never change in a code object and hardly agree in two,
from the argument counts over first line and version (3.12+) to the pointers of file, names and line
table."""
_NAME_AT, _NAME_HEAD = 16, 32
MOST_OF_NAME = 200
"""3.11: of a name the bytes from its length on belong to the signature as well."""
_MOST_TABLE = 1 << 22
_MOST_UNITS = 1 << 24
_MOST_COPIES = 20_000
_MOST_CODES = 20_000
_MOST_PLACES = 100_000
_MOST_CHECKED = 450


NOT_SHOWN = -1
"""Frame id of code that is no function of the program."""
_NO_LOCATION = b"\xfb"
"""Line table of code that the interpreter itself puts between two frames (3.12+: what calls an
`__init__` and drops its result): four instructions without a place, however many it has."""


class Code:
    """One code object as it was read."""

    __slots__ = (
        "end",
        "first_line",
        "id",
        "makes_generator",
        "number",
        "pieces",
        "room",
        "shown",
        "signature",
        "start",
        "table",
    )

    def __init__(
        self,
        start: int,
        units: int,
        first_line: int,
        table: LineTable,
        pieces: list[int],
        signature: bytes,
    ) -> None:
        self.start = start
        self.end = start + 2 * units
        self.first_line = first_line
        self.table = table
        self.pieces = pieces
        """Where its signature lies: address, size, address, size, ..."""
        self.signature = signature
        self.id = -1
        self.number = 0
        """Of `Codes.met`: when it was read."""
        self.room = 0
        """Bytes that a frame of it takes of the data stack."""
        self.shown = True
        self.makes_generator = False
        """Its frames are those of generators or coroutines: none of them stays where it began."""

    def line(self, instruction: int) -> int:
        """Return the line of an instruction; the first line before the first one has run."""
        unit = (instruction - self.start) >> 1
        if unit < 0:
            return self.first_line
        at = bisect_right(self.table.starts, unit) - 1
        while at >= 0:
            line = self.table.lines[at]
            if line is not None:
                return line
            at -= 1
        return self.first_line


class Codes:
    """The code objects of one process by address."""

    def __init__(self, memory: Memory, layout: Layout, names: Names) -> None:
        self._memory = memory
        self._layout = layout
        self._names = names
        self._objects = Objects(memory, layout)
        self._generation = names.generation
        self._codes: dict[int, Code] = {}
        self.places: dict[int, tuple[int, int]] = {}
        """Instruction -> (its code object, frame id)."""
        self.returns: set[int] = set()
        """Those of `places` at which a frame is no more, see `Layout.returns`."""
        self.resumes: set[int] = set()
        """Those by which it goes on with a generator."""
        self._inline: set[int] = set()
        """Those of them that are nothing else."""
        self.met = 0
        """So many code objects were read so far."""
        self.replaced = 0
        """So many code objects were found to have become others."""

    def begin(self) -> None:
        """Call before a sweep: forgets what has grown too much or been given new numbers."""
        names = self._names
        if (
            self._generation != names.generation
            or len(self._codes) > _MOST_CODES
            or len(self.places) > _MOST_PLACES
        ):
            self._generation = names.generation
            self._codes.clear()
            self.places.clear()
            self.returns.clear()
            self.resumes.clear()
            self._inline.clear()

    def frame_id(self, address: int, instruction: int) -> int:
        """Return the frame id of an instruction in the code object at `address`, or NOT_SHOWN.

        Raises:
            NotSo: it is no code object, or the instruction is outside of it.
            OSError: it cannot be read.
        """
        code = self._codes.get(address)
        if code is None:
            self.met += 1
            code = self._codes[address] = self._read(address)
            code.number = self.met
        at = instruction
        if not code.start - 2 <= at <= code.end:
            at += code.start - self._copy(address, code, instruction)
        if code.id < 0:
            raise NotSo("code")
        frame = self._names.frame(code.id, code.line(at)) if code.shown else NOT_SHOWN
        if at >= code.start:
            self._note(instruction)
        self.places[instruction] = (address, frame)
        return frame

    def _note(self, instruction: int) -> None:
        """Note what an instruction says of a frame that stands at it."""
        layout = self._layout
        before, _, here, argument = self._memory.read(instruction - 2, 4)
        if layout.minor == 12 and before in layout.resumes_inline:
            self.resumes.add(instruction)
        elif here in layout.returns and (not argument or layout.minor > 12):
            self.returns.add(instruction)
        elif here in layout.resumes:
            self.resumes.add(instruction)

    def resumes_inline(self, instruction: int) -> bool:
        """Whether a frame that stands there is in a generator, for sure, though it does not say
        itself whether it runs (3.14+).

        An instruction becomes of that kind when it has met generators a few times.

        Raises:
            OSError: it cannot be read.
        """
        if instruction in self._inline:
            return True
        layout = self._layout
        if not layout.clears or instruction not in self.resumes:
            return False
        if self._memory.read(instruction, 1)[0] not in layout.resumes_inline:
            return False
        self._inline.add(instruction)
        return True

    def get(self, address: int) -> Code | None:
        """Return a code object; None if it was not read yet, or is no more."""
        return self._codes.get(address)

    def room(self, address: int) -> int:
        """Return the bytes that a frame of a code object takes of the data stack, 0 if unknown."""
        code = self._codes.get(address)
        return 0 if code is None else code.room

    def _copy(self, address: int, code: Code, instruction: int) -> int:
        """Return where the copy of the instructions begins that a thread runs (3.14+, no GIL).

        Raises:
            NotSo: there is none that this instruction belongs to.
            OSError: they cannot be read.
        """
        if not self._layout.copies:
            raise NotSo("instruction")
        table = self._memory.word(address + self._layout.copies)
        number = self._memory.word(table)
        if not 0 < number <= _MOST_COPIES:
            raise NotSo("copies")
        raw = self._memory.long_read(table + 8, 8 * number)
        length = code.end - code.start
        for (start,) in struct.iter_unpack("<Q", raw):
            if start and start - 2 <= instruction <= start + length:
                return int(start)
        raise NotSo("instruction")

    def _read(self, address: int) -> Code:
        layout = self._layout
        raw = self._memory.read(address, layout.instructions)
        type_address, units = struct.unpack_from("<Qq", raw, layout.type)
        self._objects.require_type(type_address, "code")
        pointer = struct.Struct("<Q").unpack_from
        int32 = struct.Struct("<i").unpack_from
        (first_line,) = int32(raw, layout.first_line)
        pieces = [address + layout.signature, SIGNATURE_SIZE]
        signature = raw[layout.signature : layout.signature + SIGNATURE_SIZE]
        name = pointer(raw, layout.qualname)[0]
        if layout.unnumbered:
            length = self._memory.word(name + _NAME_AT)
            pieces += (name + _NAME_AT, min(_NAME_HEAD + length, MOST_OF_NAME))
            signature += self._memory.read(*pieces[2:])
        function = self._objects.text(name)
        file = self._objects.text(pointer(raw, layout.filename)[0])
        table = self._objects.data(pointer(raw, layout.linetable)[0], _MOST_TABLE)
        if not 0 < units < _MOST_UNITS or first_line < -1:
            raise NotSo("code")
        try:
            lines = LineTable(table, first_line)
        except ValueError:
            raise NotSo("line table") from None
        shown = table != _NO_LOCATION
        if table and shown and lines.units != units:
            raise NotSo("line table")
        # Read while it may have been freed: it counts only if it is still the same.
        again = self._memory.read(*pieces[:2])
        if again + (self._memory.read(*pieces[2:]) if layout.unnumbered else b"") != signature:
            raise NotSo("code")
        code = Code(address + layout.instructions, units, first_line, lines, pieces, signature)
        code.shown = shown
        stack, variables = int32(raw, layout.stack_size)[0], int32(raw, layout.variables)[0]
        code.room = layout.frame_locals + 8 * (stack + variables)
        code.makes_generator = bool(int32(raw, layout.flags)[0] & GENERATOR_FLAGS)
        code.id = self._names.code(function, file, first_line) if shown else 0
        return code

    def still_among(
        self, addresses: list[int], pieces: list[int], raw: bytearray, at: int
    ) -> list[int]:
        """Return those code objects that are what they were; forget the others.

        Args:
            addresses: Theirs.
            pieces: Where their signatures lie, as `signatures` said.
            raw: What was read there,
            at: from here on.
        """
        left: list[int] = []
        stale: list[int] = []
        if not addresses:
            return left
        step = len(pieces) // len(addresses)
        for i, address in enumerate(addresses):
            size = sum(pieces[step * i + 1 : step * (i + 1) : 2])
            code = self._codes.get(address)
            if code is not None and raw[at : at + size] == code.signature:
                left.append(address)
            else:
                stale.append(address)
            at += size
        if stale:
            self._forget(stale)
        return left

    def met_since(self, met: int, addresses: list[int]) -> bool:
        """Whether one of the code objects was read for the first time after `met` others."""
        if self.met == met:
            return False
        known = self._codes
        return any(address not in known or known[address].number > met for address in addresses)

    def signatures(self, addresses: list[int]) -> tuple[list[int], list[int], bytes]:
        """Return those that are known, where their signatures lie, and these, one after another."""
        known = [address for address in addresses if address in self._codes]
        codes = [self._codes[address] for address in known]
        pieces = [each for code in codes for each in code.pieces]
        return known, pieces, b"".join([code.signature for code in codes])

    def all_still(self, addresses: list[int], buffer: Buffer) -> bool:
        """Read the signatures again: a freed code object's place may hold another one."""
        stale = []
        for first in range(0, len(addresses), _MOST_CHECKED):
            stale += self._stale(addresses[first : first + _MOST_CHECKED], buffer)
        if stale:
            self._forget(stale)
        return not stale

    def _stale(self, addresses: list[int], buffer: Buffer) -> list[int]:
        """Return those that are not what they were."""
        known, pieces, signatures = self.signatures(addresses)
        stale = [address for address in addresses if address not in self._codes]
        if not known:
            return stale
        if not self._memory.gather(buffer, pieces, len(signatures)):
            return addresses
        if not buffer.bytes.startswith(signatures):
            at = 0
            for address in known:
                signature = self._codes[address].signature
                if not buffer.bytes.startswith(signature, at):
                    stale.append(address)
                at += len(signature)
        return stale

    def _forget(self, addresses: list[int]) -> None:
        self.replaced += len(addresses)
        gone = set(addresses)
        for address in gone:
            self._codes.pop(address, None)
        self.places = {at: place for at, place in self.places.items() if place[0] not in gone}
        self.returns.intersection_update(self.places)
        self.resumes.intersection_update(self.places)
        self._inline.intersection_update(self.places)
