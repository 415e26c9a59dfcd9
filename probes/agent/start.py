"""Starts the agent in an interpreter that is about to run somebody's program."""

import os
import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.probes.agent.wire import Wire

GATE_S = 1.0
GATE_POLL_S = 0.0005
YAMA_SCOPE = "/proc/sys/kernel/yama/ptrace_scope"
PR_SET_PTRACER = 0x59616D61


def start(
    order: str, load: "Callable[[str, str], Any]", spec_of: "Callable[[str, str], Any]"
) -> None:
    """Carry out the launcher's order (see `launch.agent_environment`); no exception is seen.

    Args:
        order: From the environment.
        load: Loads one of our files under a name, as `spec_of` returns its spec.
    """
    fields = order.split(":")
    captures = fields.pop() if fields[-1].startswith("m") else ""
    record_fd, keep_fd, gate_fd, device, inode, gate_inode, tracer_pid, lines = map(int, fields[:8])
    sampler_hz = float(fields[8])
    board = (int(fields[9]), int(fields[10])) if len(fields) > 10 else (0, 0)
    wire_module = load("wire", "_perftui_agent_wire")
    wire = wire_module.Wire(record_fd, device, inode)
    if not wire.ours():
        return  # the descriptors did not come through (a parent closed them)
    try:
        # `keep_fd` is a read end: while it is open a write can never raise SIGPIPE, which would
        # kill a program that has set SIGPIPE to its default, once the profiler has gone.
        for fd in (record_fd, keep_fd, gate_fd, *board[:1]):
            if fd:
                posix.set_inheritable(fd, False)
        if lines and sys.stdout is not None:
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        # What this process is told should it become another program: the same, without a gate.
        again = [record_fd, keep_fd, gate_fd, device, inode, 0, tracer_pid, lines]
        _start(
            wire,
            wire_module,
            gate_fd,
            gate_inode,
            load,
            spec_of,
            tracer_pid,
            sampler_hz,
            again,
            board,
            captures,
        )
    except Exception as error:
        if wire_module.foreign(error):
            raise
        wire.send(
            '{"k":"error","t":%d,"pid":%d,"text":%s'
            % (
                time.monotonic_ns(),
                posix.getpid(),
                wire_module.quote("%s: %s" % (type(error).__name__, error)),
            )
        )


def look_at_libraries(
    agent: "Any",
    load: "Callable[[str, str], Any]",
    hooks: "Any",
    seen: "Any",
    after: "dict[str, Callable[[], None]]",
) -> "Callable[[], Any]":
    """Look at asyncio, allocators and late imports, once the program has imported what they are of.

    Args:
        agent: Gets the lines.
        load: Loads one of our files under a name.
        hooks: `import_hooks`.
        seen: What imports come by.
        after: By the name of a module, what to do once it was imported; gets ours.

    Returns:
        What gives `beside.Beside`.
    """
    after["importlib.util"] = lambda: hooks.hook_lazy_loader(sys.modules["importlib.util"], seen)

    def beside() -> "Any":
        name = "_perftui_agent_beside"
        return (sys.modules.get(name) or load("beside", name)).Beside

    after["asyncio.base_events"] = lambda: load("tasks", "_perftui_agent_tasks").watch(
        agent, beside(), after
    )
    memory: "list[Any]" = []

    def asked(name: str) -> "Callable[[], None]":
        def imported() -> None:
            if not memory:
                module = load("memory", "_perftui_agent_memory")
                memory.append(module.Allocators(agent, beside()))
            memory[0].imported(name)

        return imported

    def last_in_child() -> None:
        module = sys.modules.get("_perftui_agent_beside")
        if module is not None:  # else it comes later than who has been imported
            module.last_in_child()

    for name in ("pyarrow", "ctypes", "duckdb"):
        after[name] = asked(name)
    after["memray._memray"] = last_in_child
    for name, hook in list(after.items()):
        if name in sys.modules:
            hook()
    return beside


def _start(
    wire: "Wire",
    wire_module: "Any",
    gate_fd: int,
    gate_inode: int,
    load: "Callable[[str, str], Any]",
    spec_of: "Callable[[str, str], Any]",
    tracer_pid: int,
    sampler_hz: float,
    order_again: "list[Any]",
    board: "tuple[int, int]",
    captures: str,
) -> None:
    runtime = load("runtime", "_perftui_agent")
    imports = load("imports", "_perftui_agent_imports")
    hooks = load("import_hooks", "_perftui_agent_import_hooks")
    children = load("children", "_perftui_agent_children")
    provider = load("provider", "_perftui_agent_provider")
    if tracer_pid:
        allow_tracer(tracer_pid, YAMA_SCOPE)
    wire.send(hello(wire_module.quote))
    held_ns = 0
    at_gate = posix.fstat(gate_fd).st_ino == gate_inode
    if at_gate:
        held_ns = -time.monotonic_ns()
        sampler_hz = _wait_at_gate(gate_fd) or sampler_hz
        held_ns += time.monotonic_ns()
    if at_gate or not gate_inode:
        # Nobody else has the gate's number, and it is as high as ours are: reuse it. Without a
        # gate it holds the same file of the process that started us.
        _open_at("/proc/self/statm", gate_fd)
    agent = runtime.Agent(wire, wire_module, gate_fd, load)
    agent.launched = gate_inode != 0
    runtime.agent = agent
    runtime.order = [*order_again, sampler_hz, *board, *([captures] if captures else [])]
    runtime.held_ns = held_ns

    posix.register_at_fork(after_in_child=agent.after_fork)
    started = children.Children(agent, runtime.order, runtime.hook_folder())
    after: "dict[str, Callable[[], None]]" = {
        "_posixsubprocess": started.hook,
        "subprocess": started.hook_subprocess,
    }
    seen = imports.Imports(agent, lambda: provider.provide(load), after)
    beside = look_at_libraries(agent, load, hooks, seen, after)
    agent.before_bye.append(lambda: load("installed", "_perftui_agent_installed").tell(agent))
    agent.in_child = lambda: children.tell_before_os_exit(agent)
    if not gate_inode:
        agent.in_child()
    atexit_again = _at_exit(agent)
    if atexit_again is not None:
        after["atexit"] = atexit_again
    collector: "Any" = None
    timed = sys.implementation.name == "cpython"  # others have another collector, or no callbacks
    if board[0] and timed:  # before imports are seen: it has some of its own
        collector = load("collector", "_perftui_agent_collector").Collector(agent)
    unseen = hooks.install(seen, imports.SELF_TEST)
    if unseen:
        agent.say("imports cannot be timed on this Python: " + unseen)
        provider.stand_behind(spec_of)
    if sampler_hz > 0:
        sampler = load("sampler", "_perftui_agent_sampler")
        sampler.ThreadSampler(agent, sampler_hz, beside()).start()
    if board[0]:
        hear = load("growth/board", "_perftui_agent_growth_board")
        heard = hear.Board(agent, beside(), *board, load)
        if collector is not None:
            heard.also.append(collector.turn)
        heard.start()
    if captures:
        folder = bytes.fromhex(captures[1:]).decode(sys.getfilesystemencoding(), "surrogateescape")
        load("allocations", "_perftui_agent_allocations").begin(agent, folder)


def hello(quote: "Callable[[str, int], str]") -> str:
    """Return the first line that an agent says: which process this is, of which Python."""
    argv = getattr(sys, "orig_argv", None) or _command_line()
    room = 2000
    quoted = []
    for argument in argv:
        piece = quote(argument, 400)
        room -= len(piece)
        if room < 0:
            quoted.append('"\\u2026"')
            break
        quoted.append(piece)
    return (
        '{"k":"hello","t":%d,"pid":%d,"ppid":%d,"python":"%d.%d.%d","implementation":%s,'
        '"free_threaded":%s,"executable":%s,"prefix":%s,"argv":[%s]'
        % (
            time.monotonic_ns(),
            posix.getpid(),
            posix.getppid(),
            sys.version_info[0],
            sys.version_info[1],
            sys.version_info[2],
            quote(sys.implementation.name, 60),
            "true" if "t" in getattr(sys, "abiflags", "") else "false",
            quote(sys.executable or "", 600),
            quote(sys.prefix, 600),
            ",".join(quoted),
        )
    )


def _command_line() -> "list[str]":
    """Return argv with the interpreter's own options, which Python 3.9 does not keep."""
    try:
        fd = posix.open("/proc/self/cmdline", posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return list(getattr(sys, "argv", []))
    try:
        raw = posix.read(fd, 1 << 16)
    finally:
        posix.close(fd)
    encoding = sys.getfilesystemencoding()
    return [part.decode(encoding, "surrogateescape") for part in raw.split(b"\0")[:-1]]


def _wait_at_gate(fd: int) -> float:
    """Return when the gate opens or after GATE_S: the rate to sample at, 0 for none.

    The pipe does not block. It ends, or says a rate, when the gate is opened.
    """
    give_up = time.monotonic() + GATE_S
    while time.monotonic() < give_up:
        try:
            return float(posix.read(fd, 32) or 0)
        except BlockingIOError:
            time.sleep(GATE_POLL_S)
    return 0.0


def _open_at(path: str, fd: int) -> None:
    """Open a file for reading at descriptor `fd`, which is replaced."""
    try:
        opened = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        posix.close(fd)  # no such figure on this system: RSS stays unknown
        return
    posix.dup2(opened, fd, False)
    posix.close(opened)


def _at_exit(agent: "Any") -> "Callable[[], None] | None":
    """Say bye at exit, after everything that the program registers.

    The program must still import `atexit` itself. Python 3.9 then makes a second module with
    callbacks of its own that replace the first one's; what is returned registers there, too.
    """
    loaded = "atexit" in sys.modules
    import atexit

    atexit.register(agent.bye)
    if loaded:
        return None
    del sys.modules["atexit"]
    if sys.hexversion >= 0x030A0000:
        return None
    agent.first_atexit = atexit  # the interpreter borrows it until there is another

    def again() -> None:
        sys.modules["atexit"].register(agent.bye)

    return again


def allow_tracer(pid: int, scope_file: str) -> bool:
    """Let `pid` trace us where Yama allows that only to ancestors; return whether it was asked.

    ctypes is imported for this alone, and then taken out again; from the standard library, not
    from a `struct.py` of the program's.
    """
    try:
        fd = posix.open(scope_file, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return False
    try:
        scope = posix.read(fd, 8).strip()
    finally:
        posix.close(fd)
    if scope != b"1":
        return False
    before = set(sys.modules)
    path = sys.path[:]
    library = os.path.dirname(os.__file__)
    try:
        if library in path:  # else it is in a zip, or built in
            sys.path[:] = [e for e in path if e == library or e.endswith("/lib-dynload")]
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(pid), 0, 0, 0)
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            del sys.modules[name]
    return True
