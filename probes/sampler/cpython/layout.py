"""Where the fields lie that a stack is read from, for each version of CPython.

3.13 and later publish most of them at the start of the runtime (`_Py_DebugOffsets`); the names
below follow the order of its words. The table has no length of its own, so a version whose order
is not known is refused, never guessed. 3.11 and 3.12 publish nothing; theirs were taken with
`offsetof` from the headers of 3.11.7 and 3.12.1 and hold for every release of these versions.

Free-threaded builds publish theirs in the same order. What they do not publish follows from the
header of their objects, which is 16 bytes longer, and from their GIL, which begins with whether it
is on at all (an extension module may have turned it on).
"""

from __future__ import annotations

import struct

from ..memory import Memory

_RUNTIME = "rt.size rt.finalizing rt.interpreters "
_GIL = "in.ceval_gil in.gil in.gil_enabled in.gil_locked in.gil_holder "
_THREAD = "ts.size ts.prev ts.next ts.interp ts.frame "
_THREAD_IDS = "ts.ident ts.native ts.chunk ts.status "
_FRAME = "fr.size fr.previous fr.code fr.instr fr.locals fr.owner "
_CODE = (
    "co.size co.filename co.name co.qualname co.linetable co.firstline co.argcount "
    "co.local_names co.local_kinds co.instructions "
)
_INTERPRETER_13 = "in.size in.id in.next in.threads in.gc in.modules in.sysdict in.builtins "
_INTERPRETER_14 = _INTERPRETER_13.replace("in.threads", "in.threads in.main_thread")
_GENERATIONS = "in.code_generation in.tlbc_generation "
PUBLISHED = {
    13: _RUNTIME + _INTERPRETER_13 + _GIL + _THREAD + _THREAD_IDS + _FRAME + _CODE,
    14: _RUNTIME
    + _INTERPRETER_14
    + _GIL
    + _GENERATIONS
    + _THREAD
    + _THREAD_IDS
    + _FRAME
    + "fr.stackpointer fr.tlbc "
    + _CODE
    + "co.copies ",
    15: _RUNTIME
    + _INTERPRETER_14
    + _GIL
    + _GENERATIONS
    + _THREAD
    + "ts.base ts.last_profiled ts.last_profiled_seq "
    + _THREAD_IDS
    + "ts.holds_gil ts.gil_requested ts.exception ts.exc_state es.value "
    + _FRAME
    + "fr.stackpointer fr.tlbc "
    + _CODE
    + "co.copies ",
}
"""Minor version -> the words that follow cookie, version and free_threaded."""

_COMMON_11_12 = {
    "rt.interpreters": 40,
    "in.next": 0,
    "ts.next": 8,
    "ts.cframe": 56,
    "fr.size": 80,
    "fr.instr": 56,
    "co.filename": 112,
    "co.qualname": 128,
    "co.linetable": 136,
}
MEASURED = {
    11: {
        **_COMMON_11_12,
        "rt.gil": 360,
        "in.id": 48,
        "in.threads": 16,
        "cf.frame": 8,
        "ts.ident": 152,
        "ts.native": 160,
        "ts.chunk": 296,
        "fr.code": 32,
        "fr.previous": 48,
        "fr.is_entry": 68,
        "fr.owner": 69,
        "co.firstline": 72,
        "co.instructions": 184,
        "str.ascii": 48,
        "str.compact": 72,
    },
    12: {
        **_COMMON_11_12,
        "in.id": 8,
        "in.threads": 72,
        "in.ceval_gil": 384,
        "cf.frame": 0,
        "ts.ident": 136,
        "ts.native": 144,
        "ts.chunk": 232,
        "fr.code": 0,
        "fr.previous": 8,
        "fr.owner": 70,
        "co.firstline": 68,
        "co.instructions": 192,
    },
}
_RETURNS = {11: (83,), 12: (83, 242), 13: (36, 103, 239, 240), 14: (), 15: ()}
"""Minor version -> up to 3.13, the instructions by which a frame returns a value or a constant, and
the same while somebody watches (`opcode.opmap` of each version; settled since its first release
candidate). In 3.12 a caller stands at what is kept behind its instruction, which may be any number:
there a constant is left out, and a value counts as its second byte is 0."""
_RESUMES = {
    11: (93, 123),
    12: (93, 123),
    13: (72, 104, 187, 208, 243),
    14: (70, 106, 171, 197, 237),
    15: (68, 105, 174, 202, 203, 236),
}
"""Minor version -> FOR_ITER, SEND, and (in 3.12 a caller stands behind it, see above) what they
become where generators are met."""
_RESUMES_INLINE = {12: (65, 168), 13: (187, 208), 14: (171, 197), 15: (174, 203)}
"""Minor version -> FOR_ITER_GEN, SEND_GEN: they go on with a generator without a call of C."""
GENERATOR_FLAGS = 0x20 | 0x80 | 0x200
"""CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR."""
MINORS = tuple(sorted([*MEASURED, *PUBLISHED]))
_FRAME_BYTES = ("fr.is_entry", "fr.owner")
_LONGER_HEADER = 16
RUNS = -1
"""3.11 to 3.13, in a frame in place of its stack's top: it runs, or has called C. The top is in the
frame when it has called a frame of Python, and when it has returned."""
_SIGNATURE_AT = 56
"""Of a code object: see `code.SIGNATURE_SIZE`."""
_CANDIDATE = 0xC  # release level of PY_VERSION_HEX: the layout is settled from here on
_MOST_IN_INTERPRETER = 1 << 20
_MOST_ELSEWHERE = 1 << 12


class Refused(Exception):
    """This process cannot be sampled from here; the argument is one of `stream.REASONS`."""


class Layout:
    """Offsets in bytes of one version, in one process. All structures are those of LP64."""

    def __init__(self, minor: int, offsets: dict[str, int], free_threaded: bool = False) -> None:
        get = offsets.get
        self.minor = minor
        self.free_threaded = free_threaded
        longer = _LONGER_HEADER if free_threaded else 0
        self.type = 8 + longer
        """Of an object: pointer to its type. What it holds begins 8 bytes further on."""
        self.type_name = 24 + longer
        self.text_state = 8 if free_threaded and minor >= 14 else 2
        """Bit of a string's state at which its kind begins; then compact, and ascii."""
        self.interpreters = offsets["rt.interpreters"]
        self.interpreter_next = offsets["in.next"]
        self.interpreter_id = offsets["in.id"]
        self.threads_head = offsets["in.threads"]
        self.runtime_gil = get("rt.gil", 0)
        """3.11: the GIL lies in the runtime itself."""
        self.gil_pointer = get("in.ceval_gil", 0)
        """Later: a pointer to it in the interpreter."""
        self.code_generation = get("in.code_generation", 0)
        """3.14+: how many code objects of an interpreter were freed so far."""
        self.state = _state_fields(offsets)
        """Unpacks (current or C frame, native id, chunk, its used top, its limit) of a thread."""
        self.gil_on = free_threaded
        """A GIL begins with whether it is on, and so all of it lies 8 bytes further on."""
        self.gil_size = 32 if free_threaded else 24
        self.thread_next = offsets["ts.next"]
        self.native_id = offsets["ts.native"]
        self.chunk = offsets["ts.chunk"]
        """Three words: newest chunk of the data stack, its used top, its limit."""
        self.cframe = get("ts.cframe", 0)
        """3.11, 3.12: pointer to the C frame, which points to the innermost frame."""
        self.cframe_frame = get("cf.frame", 0)
        self.current_frame = get("ts.frame", 0)
        self.base_frame = get("ts.base", 0)
        """3.15: pointer to the sentinel at which every chain ends."""
        self.frame_size = max(offsets["fr.size"], 80)
        self.is_entry = get("fr.is_entry", 0)
        """3.11: marks a frame that the C stack entered Python by."""
        self.frame = _frame_fields(offsets)
        """Unpacks (code, previous, instruction, owner) of a frame."""
        self.frame_words = [(offsets[f"fr.{name}"], 8) for name in ("code", "previous", "instr")]
        self.frame_words.append((offsets["fr.instr"] + 8, 8 if "fr.stackpointer" in offsets else 4))
        """(offset, bytes) of all that a walk looks at."""
        self.frame_words += [(offsets[name], 1) for name in _FRAME_BYTES if name in offsets]
        self.who = offsets["fr.code"], offsets["fr.previous"]
        """Of a frame: its code object and its caller."""
        self.frame_owner = offsets["fr.owner"]
        self.caller = _caller_fields(offsets)
        """Unpacks (code, previous, instruction, stack's top, owner; 3.11: whether C entered there)
        of a frame."""
        self.clears = minor >= 14
        """A frame that is no more has no code object."""
        self.frame_flags = offsets["fr.instr"] + 16
        """So many bytes of a frame end behind its flag."""
        self.filename = offsets["co.filename"]
        self.qualname = offsets["co.qualname"]
        self.linetable = offsets["co.linetable"]
        self.first_line = offsets["co.firstline"]
        self.instructions = offsets["co.instructions"]
        self.stack_size = offsets["co.firstline"] - 4
        """Of a code object: int, words of the stack of its frames."""
        self.variables = offsets["co.firstline"] + 4
        """Of a code object: int, words of the variables of its frames."""
        self.frame_locals = self.frame_flags if minor < 14 else offsets["fr.locals"]
        """Of a frame: where its variables begin, and its stack behind them."""
        self.returns = _RETURNS[minor]
        """Instructions at which a frame is no more, unless it says that it runs."""
        self.flags = offsets["co.firstline"] - (24 if minor == 11 else 20)
        """Of a code object: int, what kind it is of."""
        self.resumes = _RESUMES[minor]
        """Instructions by which a frame goes on with a generator or a coroutine."""
        self.resumes_inline = _RESUMES_INLINE.get(minor, ())
        """Those of them that are nothing else. A frame that stands there (3.12: behind it) is in
        one."""
        self.copies = get("co.copies", 0)
        """Free-threaded, 3.14+: pointer to (number, addresses) of the copies of the instructions,
        of which each thread runs its own."""
        self.signature = _SIGNATURE_AT + longer
        self.unnumbered = minor < 12
        """Code objects have no version: two of them may agree in all that tells them apart, but for
        what their names say."""
        self.text_ascii = get("str.ascii", 40) + longer
        self.text_compact = get("str.compact", 56) + longer
        self.thread_size = max(self.chunk + 24, self.native_id + 8, self.base_frame + 8)
        """So many bytes of a thread state are read."""


def _state_fields(offsets: dict[str, int]):  # type: ignore[no-untyped-def]
    frame = offsets.get("ts.cframe") or offsets["ts.frame"]
    native, chunk = offsets["ts.native"], offsets["ts.chunk"]
    if not frame + 8 <= native or not native + 8 <= chunk:
        raise Refused("unknown-version")
    return struct.Struct(f"<{frame}xQ{native - frame - 8}xQ{chunk - native - 8}xQQQ").unpack_from


def _frame_fields(offsets: dict[str, int]):  # type: ignore[no-untyped-def]
    places = [offsets[name] for name in ("fr.code", "fr.previous", "fr.instr", "fr.owner")]
    code, previous, instruction, owner = places
    if not code + 8 <= previous or not previous + 8 <= instruction or not instruction + 8 <= owner:
        raise Refused("unknown-version")
    return struct.Struct(
        f"<{code}xQ{previous - code - 8}xQ{instruction - previous - 8}xQ{owner - instruction - 8}xB"
    ).unpack_from


def _caller_fields(offsets: dict[str, int]):  # type: ignore[no-untyped-def]
    pointer = offsets.get("fr.stackpointer", 0)
    form = "Q" if pointer else "i"
    code, previous, instruction = (offsets[f"fr.{name}"] for name in ("code", "previous", "instr"))
    top, mark = instruction + 8, offsets.get("fr.is_entry") or offsets["fr.owner"]
    after = top + struct.calcsize(form)
    if pointer not in (0, top) or mark < after:
        raise Refused("unknown-version")
    return struct.Struct(
        f"<{code}xQ{previous - code - 8}xQ{instruction - previous - 8}xQ{form}{mark - after}xB"
    ).unpack_from


def layout_of(memory: Memory, runtime: int, version: int) -> Layout:
    """Return the layout of a process.

    Args:
        runtime: address of `_PyRuntime`.
        version: as in PY_VERSION_HEX; 0 if the interpreter does not say (before 3.11).

    Raises:
        Refused: a version that we do not know.
        OSError: the process is gone.
    """
    minor = version >> 16 & 255
    if version >> 24 != 3 or version >> 4 & 15 < _CANDIDATE or minor not in MINORS:
        raise Refused("unknown-version")
    if minor in MEASURED:
        return Layout(minor, MEASURED[minor])
    names = PUBLISHED[minor].split()
    head = memory.read(runtime, 24 + 8 * len(names))
    free_threaded = int.from_bytes(head[16:24], "little")
    if free_threaded > 1:
        raise Refused("unknown-version")
    offsets = dict(zip(names, struct.unpack_from(f"<{len(names)}Q", head, 24)))
    if free_threaded and not offsets.get("co.copies", 1):
        raise Refused("unknown-version")
    for name, offset in offsets.items():
        most = _MOST_IN_INTERPRETER if name[:2] in ("in", "rt") else _MOST_ELSEWHERE
        if offset > most:
            raise Refused("unknown-version")
    # `in.gil` is where the pointer to the GIL's state lies; holder and lock follow its own base.
    return Layout(minor, offsets, free_threaded == 1)
