"""What a census has met and found. Of the program only numbers are remembered."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class AddressSet:
    """Addresses that were met: a bit for every 16 bytes, as objects are aligned.

    A set would take 70 bytes for each of millions, and stand still whenever it grows.
    """

    def __init__(self) -> None:
        self._pages: "dict[int, bytearray]" = {}

    def add(self, address: int) -> bool:
        """Note an address; False if it was there before."""
        page = self._pages.get(address >> 16)
        if page is None:
            page = self._pages[address >> 16] = bytearray(512)
        at, bit = (address >> 7) & 511, 1 << ((address >> 4) & 7)
        if page[at] & bit:
            return False
        page[at] |= bit
        return True


class Holdings:
    """What is under each path, in columns by the path's number: many small objects would count
    for the garbage collector."""

    def __init__(self) -> None:
        self.number: "dict[str, int]" = {}
        self.kind: "list[str]" = []
        self.owner: "list[str]" = []
        """The innermost name that leads here (`name_in`), for the code that fills it."""
        self.containers: "list[float]" = []
        self.entries: "list[float]" = []
        self.bytes: "list[float]" = []
        """Of what is large by itself, and of what the containers take without their elements."""
        self.largest: "list[Any]" = []
        """A container of the program's, only where it was asked to be kept, and for moments."""
        self.library: "list[bool]" = []
        """A library's name leads here first, none of the program's."""
        self.sampled: "list[bool]" = []
        """Some of many were looked at; the figures are scaled up."""
        self.address: "list[int]" = []
        """Of what the path leads to, 0 if that is several."""

    def at(
        self, path: str, kind: str, owner: str, weight: float, library: bool, address: int
    ) -> int:
        """Return the number of a path, which is added if it is new."""
        number = self.number.get(path)
        if number is None:
            number = self.number[path] = len(self.kind)
            self.kind.append(kind)
            self.owner.append(owner)
            self.containers.append(0.0)
            self.entries.append(0.0)
            self.bytes.append(0.0)
            self.largest.append(None)
            self.library.append(library)
            self.address.append(address if weight == 1.0 else 0)
            self.sampled.append(False)
        elif self.address[number] != address:
            self.address[number] = 0
        if weight != 1.0:
            self.sampled[number] = True
        self.containers[number] += weight
        return number

    def by_address(self) -> "dict[int, str]":
        """Return the path of each thing that has one of its own."""
        return {
            self.address[number]: path
            for path, number in self.number.items()
            if self.address[number]
        }

    def let_go(self) -> None:
        """Keep no object of the program's."""
        self.largest = [None] * len(self.kind)
