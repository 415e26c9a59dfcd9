"""Reads what the agent inside a launched program says and appends it to the session log.

The lines come from the program's process, which may write anything into the pipe: what does
not read as a record is counted and skipped. See `agent/wire.py` for the other end.
"""

from __future__ import annotations

import json
import math
import os
import selectors
from typing import TYPE_CHECKING, Any, cast

from perftui.probes.agent_link.bounded import with_bound
from perftui.probes.agent_link.images import ExecImages
from perftui.probes.agent_link.installed import InstalledNames
from perftui.probes.agent_link.tasks import TaskLists
from perftui.probes.agent_link.traced import traced_record
from perftui.probes.agent_link.windows import InsideWindows
from perftui.probes.agent_link.wire_kinds import WIRE_KINDS
from perftui.probes.plans.parts import PlanParts
from perftui.probes.spine import records
from perftui.probes.spine.probe_thread import ProbeThread
from perftui.probes.target.orders import at_rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.agent_link.wire_kinds import FieldType
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.log import SessionLog

READ_BYTES = 1 << 16
READS_AT_ONCE = 64
LONGEST_LINE_BYTES = 1 << 14
"""A longer line is no line of ours."""
LARGEST = (1 << 63) - 1
PLAN_KINDS = ("plan", "plan_text")
TASK_KINDS = ("tasks", "task")
"""Lines that are parts of something larger: `AgentProbe` puts them together."""


class AgentProbe:
    """The pipe's reader, on a thread of its own. The descriptor stays the caller's.

    Args:
        log: gets the records.
        fd: read end of the record pipe, not blocking (`AgentChannel.read_fd`).
        on_hello: called on this probe's thread with the fields of every hello: pid, ppid,
            python, implementation, executable, prefix, argv (a list of str), t (ns), and
            free_threaded (True) if that is what it is.
        on_bye: called with the pid of a program that has come to its normal end, and for how long
            it was held back before it began (ns).
        sampler_hz: the rate of the in-process sampler, should it be asked to run.
    """

    def __init__(
        self,
        log: SessionLog,
        fd: int,
        *,
        on_hello: Callable[[dict[str, Any]], None] | None = None,
        on_bye: Callable[[int, int], None] | None = None,
        sampler_hz: float = 50.0,
    ) -> None:
        self._log = log
        self._fd = fd
        self._on_hello = on_hello
        self._on_bye = on_bye
        self._inside = InsideWindows(sampler_hz)
        self._plans = PlanParts()
        self._tasks = TaskLists()
        self._installed = InstalledNames()
        self._images = ExecImages()
        self._rest = b""
        self._skipping = False
        self._dropped_by_pid: dict[int, int] = {}
        self.garbage = 0
        """Lines that could not be read as records."""
        self._wake_read, self._wake_write = os.pipe()
        self._thread = ProbeThread(log, "what the program says", self._run, "agent reader")

    @property
    def dropped(self) -> int:
        """Lines that the agents could not write because the pipe was full."""
        return sum(list(self._dropped_by_pid.values()))

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read what is left in the pipe, append it, and return when the thread has ended."""
        if self._wake_write < 0:
            return
        os.close(self._wake_write)
        self._wake_write = -1
        if not self._thread.end():
            return
        self._log.extend([*self._inside.finish(), *self._plans.rest()])
        os.close(self._wake_read)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._fd, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            stopping = False
            while not stopping:
                stopping = any(key.fd == self._wake_read for key, _ in selector.select())
                if not self._drain():
                    return

    def _drain(self) -> bool:
        """Take what is in the pipe now; False if no more can ever come.

        A pipe holds far less than READS_AT_ONCE reads; who writes faster than we read must not
        keep us from stopping.
        """
        for _ in range(READS_AT_ONCE):
            try:
                data = os.read(self._fd, READ_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        """Append the records of the whole lines in what was read so far."""
        *lines, rest = (self._rest + data).split(b"\n")
        if self._skipping and lines:
            self._skipping = False
            lines.pop(0)
        if len(rest) > LONGEST_LINE_BYTES:
            if not self._skipping:
                self.garbage += 1
            self._skipping = True
            rest = b""
        self._rest = rest
        batch: list[tuple[int, records.Record]] = []
        for line in lines:
            try:
                self._parse(line, batch)
            except (ValueError, KeyError, TypeError, IndexError, RecursionError):
                self.garbage += 1
        batch.sort(key=lambda entry: entry[0])
        self._log.extend(self._inside.take([record for _, record in batch]))

    def _parse(self, line: bytes, batch: list[tuple[int, records.Record]]) -> None:
        fields = json.loads(line)
        if type(fields) is not dict:
            raise ValueError("not an object")
        t_ns, pid = _integer(fields["t"]), _integer(fields["pid"])
        kind = fields["k"]
        if kind in PLAN_KINDS:
            found: list[records.Record] = [*self._plan(kind, fields, t_ns, pid)]
        elif kind in TASK_KINDS:
            found = [*self._task(kind, fields, t_ns, pid)]
        else:
            found = self._images.settle(records_of(fields, self._log.tree))
        batch.extend((t_ns, record) for record in found)
        if "dropped" in fields:
            self._dropped_by_pid[pid] = _integer(fields["dropped"])
        if kind == "installed":
            self._installed.take(
                pid, _text(fields["place"]), [_text(name) for name in fields["names"]]
            )
        elif kind == "hello":
            hello = _hello(fields)
            batch.extend((t_ns, record) for record in self._images.hello(t_ns, pid))
            if self._on_hello is not None:
                self._on_hello(hello)
        elif kind == "bye":
            batch.extend((plan.t_ns, plan) for plan in self._plans.rest(pid))
            batch.extend((task.t_ns, task) for task in self._tasks.rest(pid))
            batch.extend((t_ns, each) for each in self._installed.end(t_ns, pid))
            if self._on_bye is not None:
                self._on_bye(pid, _integer(fields.get("held", 0)))

    def _plan(self, kind: str, fields: dict[str, Any], t_ns: int, pid: int) -> list[records.Plan]:
        """Take a line of a plan; returns the plans that are complete with it."""
        number = _integer(fields["id"])
        if kind == "plan_text":
            return self._plans.part(pid, number, _integer(fields["part"]), _text(fields["text"]))
        where = fields["filter"]
        plan = records.Plan(
            t_ns,
            pid,
            _text(fields["name"]),
            "",
            None if where is None else _text(where),
            *(_integer_or_none(fields[name]) for name in records.Plan._fields[5:]),
        )
        return self._plans.head(number, _integer(fields["parts"]), plan)

    def _task(
        self, kind: str, fields: dict[str, Any], t_ns: int, pid: int
    ) -> list[records.TaskSeen]:
        """Take a line of a list of tasks; returns those of the list that is complete with it."""
        number = _integer(fields["id"])
        if kind == "tasks":
            total, told = _integer(fields["total"]), _integer(fields["told"])
            return self._tasks.head(pid, number, t_ns, total, told)
        awaits = fields["awaits"]
        files = [_text(file) for file in fields["files"]]
        frames = [
            (_text(function), "" if _whole(file) == -1 else files[_integer(file)], _integer(line))
            for function, file, line in fields["frames"]
        ]
        name = _text(fields["name"])
        text = None if awaits is None else _text(awaits)
        return self._tasks.task(pid, number, t_ns, name, text, frames)


def records_of(fields: dict[str, Any], tree: CallTree) -> list[records.Record]:
    """Return the records that one line stands for; raises ValueError and kin for nonsense."""
    kind = fields["k"]
    t_ns, pid = _integer(fields["t"]), _integer(fields["pid"])
    known = WIRE_KINDS.get(kind)
    if known is None:
        raise ValueError("unknown kind")
    if known.record is not None:
        values = (_READ[field.type](fields[field.name]) for field in known.fields)
        record = cast("records.Record", known.record(t_ns, pid, *values))
        return [with_bound(record) if isinstance(record, records.Keeper) else record]
    if kind == "stack":
        stack = _stack(fields, t_ns, pid, tree)
        if stack is None or at_rest(tree.frame(stack.node)):
            return []
        return [] if tree.begins_interpreter(stack.node) else [stack]
    if kind == "traced":
        t0_ns, size, blocks = (_integer(fields[name]) for name in ("t0", "bytes", "blocks"))
        return [traced_record(t_ns, pid, t0_ns, size, blocks, _text(fields["stack"]))]
    if kind == "error":
        text = f"the agent in process {pid} failed in part: {_text(fields['text'])}"
        return [records.Notice(t_ns, "warn", text)]
    if kind in ("notice", "released"):
        severity: records.Severity = "warn" if kind == "notice" else "info"
        return [records.Notice(t_ns, severity, f"process {pid}: {_text(fields['text'])}")]
    return []  # hello, bye, installed: for the reader itself


def _stack(fields: dict[str, Any], t_ns: int, pid: int, tree: CallTree) -> records.Stack | None:
    """Return the stack of a line, None for a thread of our own agent."""
    files = [_text(file) for file in fields["files"]]
    frames = []
    for function, file, line in fields["frames"]:
        if _whole(file) == -1:
            frames.append(tree.frame_id(_text(function), "", 0, "elided"))
        else:
            frames.append(tree.frame_id(_text(function), files[_integer(file)], _integer(line)))
    if not frames:
        raise ValueError("empty stack")
    if tree.is_own_thread(frames):
        return None
    t0_ns = _integer(t_ns - _integer(fields["dur_ns"]))
    return records.Stack(t0_ns, t_ns, pid, _integer(fields["tid"]), tree.intern(frames))


def _hello(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the hello with plain texts only."""
    names = ("python", "implementation", "executable", "prefix")
    hello: dict[str, Any] = {name: _text(fields[name]) for name in names}
    hello.update({name: _integer(fields[name]) for name in ("t", "pid", "ppid")})
    if fields.get("free_threaded") is True:
        hello["free_threaded"] = True
    hello["argv"] = [_text(argument) for argument in fields["argv"]]
    return hello


def _whole(value: object) -> int:
    if type(value) is not int:
        raise ValueError("not an integer")
    return value


def _integer(value: object) -> int:
    whole = _whole(value)
    if not 0 <= whole <= LARGEST:
        raise ValueError("out of range")
    return whole


def _signed(value: object) -> int:
    whole = _whole(value)
    if not -LARGEST <= whole <= LARGEST:
        raise ValueError("out of range")
    return whole


def _integer_or_none(value: object) -> int | None:
    return None if value is None else _integer(value)


def _number(value: object) -> float:
    if type(value) is not int and type(value) is not float:
        raise ValueError("not a number")
    try:
        real = float(value)
    except OverflowError:
        raise ValueError("out of range") from None
    if not math.isfinite(real):
        raise ValueError("not finite")
    return real


def _text(value: object) -> str:
    """Return a text that can be encoded: lone surrogates stand for undecodable bytes."""
    if type(value) is not str:
        raise ValueError("not a text")
    return value.encode("utf-8", "replace").decode("utf-8")


_READ: dict[FieldType, Callable[[object], object]] = {
    "int": _integer,
    "int?": _integer_or_none,
    "signed": _signed,
    "signed?": lambda value: None if value is None else _signed(value),
    "number": _number,
    "text": _text,
    "text?": lambda value: None if value is None else _text(value),
    "bool": lambda value: value is True,
}
"""What each type of `wire_kinds` is read by."""
