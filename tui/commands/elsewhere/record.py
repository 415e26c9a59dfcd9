"""`perftui record`: the headless end of a session that is kept, or shown, somewhere else."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from perftui.tui.commands import options
from perftui.tui.errors import UserError
from perftui.tui.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from perftui.probes.session import Session
    from perftui.tui.watch.options import WatchOptions

_EPILOG = """\
ssh HOST perftui record --stdio 4711 | perftui record --receive run.perftui
perftui record --stdio -- python3 load.py | perftui record --receive load.perftui
"""


def add_parser(commands: Any) -> None:
    """Add `record` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "record",
        help="the headless end of a session that is kept somewhere else",
        description="Watch a process or a program here, and tell the recording on standard "
        "output, as it grows; or keep what another one tells.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="perftui record --stdio [OPTIONS] PID | -- PROGRAM [ARG]...\n"
        "       perftui record --receive RECORDING.perftui",
    )
    _add_options(parser)
    parser.set_defaults(run=run, words=[])


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stdio", action="store_true", help="tell the recording on standard output"
    )
    parser.add_argument(
        "--receive", metavar="RECORDING.perftui", help="keep what comes on standard input"
    )
    parser.add_argument(
        "--speak", choices=("arrow", "own"), default="arrow", help=argparse.SUPPRESS
    )
    options.add_probe_options(parser)


def split_words(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split what follows `record` into our options and the words that name what to watch."""
    from perftui.tui.commands.run import split_at_program

    ours = Parser(prog="perftui record")
    _add_options(ours)
    own, rest = split_at_program(ours, arguments)
    if rest and rest[0] != "--":  # a process: options may stand behind it
        return own + rest[1:], rest[:1]
    return own, rest


def run(args: argparse.Namespace) -> int:
    """Tell or keep a recording."""
    if args.receive is not None:
        if args.stdio or args.words:
            raise UserError("--receive keeps what another perftui tells: give it alone")
        return _receive(args.receive)
    if not args.stdio:
        raise UserError(
            "record needs --stdio or --receive; `perftui run --record DIR` keeps a recording here"
        )
    if args.speak == "own":
        return _speak_own()
    if os.isatty(1):
        raise UserError("a recording is no text: send it on, | perftui record --receive FILE")
    if args.json is not None or args.no_record:
        raise UserError("record --stdio tells a recording: --json and --no-record do not fit")
    return _tell(args)


def _speak_own() -> int:
    from pathlib import Path

    from perftui.probes import sampler
    from perftui.probes.remote.far.end import main

    return main(sys.stdin.buffer, str(Path(sampler.__file__).parent))


def _receive(name: str) -> int:
    from perftui.probes.own.folders import expanded
    from perftui.probes.remote.frames import DamagedFrames
    from perftui.probes.remote.mirror import RecordingKeeper
    from perftui.probes.text.harmless import clean
    from perftui.tui.text.words import tell

    path = expanded(name)
    if not path.name.endswith(".perftui"):
        raise UserError(f"{name!r}: a recording's name ends in .perftui")
    try:
        receiver = RecordingKeeper(path)
    except FileExistsError as error:
        raise UserError(f"{name!r} is there already") from error
    problem = "the stream ended before the recording did"
    try:
        while not receiver.done and (data := os.read(0, 1 << 16)):
            receiver.feed(data)
    except DamagedFrames as error:
        problem = clean(str(error))
    if receiver.done:
        tell(f"recorded: perftui open {path}")
        return 0
    if not any(path.iterdir()):
        path.rmdir()
        raise UserError(f"nothing was kept: {problem}")
    tell(f"perftui: {problem}; what has come can be opened: perftui open {path}")
    return 2


def _tell(args: argparse.Namespace) -> int:
    import shutil
    import tempfile
    from pathlib import Path

    asked = options.watch_options(args)
    folder = Path(tempfile.mkdtemp(prefix="perftui-record-"))
    try:
        directory = asked.record.directory or folder / "told.perftui"
        if not directory.name.endswith(".perftui"):
            raise UserError("--record takes a path that ends in .perftui here")
        asked = asked._replace(record=asked.record._replace(directory=directory))
        return _watch(args, asked, directory)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _watch(args: argparse.Namespace, asked: WatchOptions, directory: Path) -> int:
    from perftui.probes.process.face import ProcessGone
    from perftui.probes.remote.mirror import RecordingTeller
    from perftui.probes.target.target import LaunchError
    from perftui.tui.terminal.ending import Ending, close_in_time
    from perftui.tui.watch.headless import exit_status, watch
    from perftui.tui.watch.progress import Progress

    words: list[str] = args.words
    # Nothing but the frames goes there: what prints, prints beside it.
    out = os.dup(1)
    os.dup2(2, 1)
    with Ending() as ending:
        ending.leave_now_if_asked()
        try:
            session = _session(words, asked)
        except LaunchError as error:
            raise UserError(str(error)) from error
        except ProcessGone as error:
            raise UserError(f"there is no process {words[0]}") from error
        launched = session.launched

        def nobody_listens() -> None:
            if not launched:  # a program that was started here goes on
                os.kill(os.getpid(), signal.SIGINT)

        mirror = RecordingTeller(directory, out, nobody_listens)
        mirror.start({"pid": session.pid, "host": os.uname().nodename})
        stopped = watch(session, Progress(session, "off"), asked.duration_s, ending)
        close_in_time(session, ending)
        mirror.stop()
    exit_ = session.exit()
    if launched:
        return 0 if stopped or exit_ is None else exit_status(exit_)
    return 128 + ending.number if ending.number not in (None, signal.SIGINT) else 0


def _session(words: list[str], asked: WatchOptions) -> Session:
    from perftui.probes.session import Session
    from perftui.probes.target.program import ProgramError, command_of
    from perftui.probes.text.redact import title_of

    if len(words) == 1 and words[0].isdigit():
        return Session.attach(options.process_id(words[0]), asked.probes, asked.record)
    if words[:1] != ["--"] or not words[1:]:
        raise UserError("record --stdio takes a PID, or -- and a program")
    try:
        argv = command_of(words[1:], None)
    except ProgramError as error:
        raise UserError(str(error)) from error
    return Session.launch(
        argv,
        title_of(words[1:]),
        asked.probes,
        behind_screen=False,
        stdout=2,
        record=asked.record,
    )
