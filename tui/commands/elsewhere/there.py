"""`attach ADDRESS` and `run --on ADDRESS`: the target runs elsewhere, the session is here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from perftui.tui.commands import options
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from perftui.probes.remote.address import Address
    from perftui.probes.remote.session import RemoteSession
    from perftui.tui.watch.options import WatchOptions

_SCHEMES = ("ssh://", "docker://", "k8s://")
_NOT_THERE = {
    "native": "--native",
    "deep": "--deep",
    "limit": "--limit",
    "inject": "--inject",
    "memray": "--memray",
    "tracemalloc": "--tracemalloc",
    "repeat": "--repeat",
    "python": "--python",
}
"""Options for what needs more at the far end than travels there."""
_FAR = "{0} record --stdio --speak own || {{ {0} --version >&2; exit 98; }}"
"""One that does not know the command says at least which version it is."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what concerns the far end."""
    group = parser.add_argument_group("elsewhere")
    group.add_argument(
        "--far-python",
        metavar="EXE",
        help="the Python (3.9 or later) that runs our part there; else one is looked for",
    )
    group.add_argument(
        "--far",
        metavar="COMMAND",
        nargs="?",
        const="perftui",
        help="use the perftui that is installed there (COMMAND starts it; the same version), "
        "instead of what travels along",
    )


def is_meant(word: str) -> bool:
    """Tell whether a word is an address."""
    return word.startswith(_SCHEMES)


def attach(args: argparse.Namespace) -> int:
    """Watch a process elsewhere."""
    return _watch(args, args.pid, None, None)


def run_there(args: argparse.Namespace) -> int:
    """Start a program elsewhere, and watch it."""
    from perftui.probes.text.redact import title_of

    if args.far is not None:
        raise UserError("--far is for attach: what starts a program there travels along")
    if not is_meant(args.on):
        raise UserError(f"--on takes {', '.join(f'{scheme}...' for scheme in _SCHEMES)}")
    words: list[str] = args.words
    # Files are looked for there, not here: a script is known by its name alone.
    if words[:1] == ["--"]:
        argv = words[1:]
    elif words[:1] in (["-m"], ["-c"]) or (words and words[0].endswith(".py")):
        argv = ["python3", *words]
    else:
        argv = list(words)
    if not argv:
        raise UserError("nothing to run: perftui run --on ADDRESS -- PROGRAM [ARG]...")
    if args.param:
        raise UserError("-p is for scenarios, which run on this machine")
    return _watch(args, args.on, argv, title_of(argv))


def _watch(args: argparse.Namespace, where: str, argv: list[str] | None, title: str | None) -> int:
    for name, option in _NOT_THERE.items():
        if getattr(args, name, None):
            raise UserError(f"{option} is for processes of this machine; {where} is elsewhere")
    if args.sampler == "py-spy":
        raise UserError("--sampler py-spy is for processes of this machine: the own one travels")
    asked = options.watch_options(args)
    from perftui.probes.remote.address import AddressError, parse
    from perftui.probes.remote.link import LinkError

    try:
        address = parse(where, with_pid=argv is None)
        screen = options.wants_screen(args)
        begin = _begin(args, address, asked, argv, title, screen=screen)
        if screen:
            from perftui.tui.watch.on_screen import show

            return show(begin, asked)
        from perftui.tui.terminal.ending import Ending
        from perftui.tui.watch.headless import INCONCLUSIVE, watch_to_the_end

        with Ending() as ending:
            ending.leave_now_if_asked()
            session = begin()
            code = watch_to_the_end(session, asked, ending)
            return INCONCLUSIVE if session.lost else code
    except (AddressError, LinkError) as error:
        raise UserError(str(error)) from error


def _begin(
    args: argparse.Namespace,
    address: Address,
    asked: WatchOptions,
    argv: list[str] | None,
    title: str | None,
    *,
    screen: bool,
) -> Callable[[], RemoteSession]:
    """Return what reaches the far end and begins the session."""

    def begin() -> RemoteSession:
        from perftui.probes.remote.session import RemoteSession

        return RemoteSession.begin(
            address,
            asked.probes,
            asked.record,
            argv=argv,
            title=title,
            python=args.far_python,
            far=None if args.far is None else _FAR.format(args.far),
            asking=sys.stdin.isatty(),
            on_output=None if screen else _pass_on(to_stderr=args.json == "-"),
        )

    return begin


def _pass_on(*, to_stderr: bool) -> Callable[[int, bytes], None]:
    """Return what writes a program's output where ours goes; errors end nothing."""
    import os
    from contextlib import suppress

    def write(stream: int, data: bytes) -> None:
        fd = 2 if stream == 2 or to_stderr else 1
        with suppress(OSError):
            while data:
                data = data[os.write(fd, data) :]

    return write
