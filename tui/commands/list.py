"""`perftui list`: scenarios, running Python processes, recordings, and the cache."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

from perftui.probes.text.columns import aligned, widths_of
from perftui.tui.errors import UserError
from perftui.tui.text.words import say, tell

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from perftui.probes.process.running import PythonProcess
    from perftui.probes.recording.shelf.shelf import Entry
    from perftui.scenarios.run.runner import Scenario

_ALL_COLUMNS = 96
"""Below this width recordings are listed without alerts and size."""
_KINDS = ("scenarios", "processes", "recordings")
_NARROWEST = 40


def add_parser(commands: Any) -> None:
    """Add `list` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "list",
        help="what can be run, attached to or opened",
        description="List scenarios, running Python processes and recordings.",
    )
    parser.add_argument("what", nargs="?", choices=_KINDS, help="only these; default: all")
    parser.add_argument(
        "where",
        nargs="?",
        metavar="WHERE",
        help="of recordings: another folder, a pattern in quotes, or an address (s3://BUCKET/RUNS)",
    )
    parser.add_argument("--json", action="store_true", help="as JSON on stdout")
    parser.add_argument(
        "--clear-cache", action="store_true", help="delete the generated data of the scenarios"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before deleting")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the list, or clear the cache."""
    if args.clear_cache:
        return _clear_cache(yes=args.yes)
    kinds = [args.what] if args.what else list(_KINDS)
    if args.where is not None and args.what != "recordings":
        raise UserError(f"list {args.what} has no WHERE: perftui list recordings {args.where}")
    if args.json:
        say(json.dumps(_as_json(kinds, args.where), indent=2))
        return 0
    if args.where is not None:
        entries = [entry for entry, _ in _entries_at(args.where)]
        say("\n".join(_lines_of(entries, _width())))
        return 0
    sections = [_section(kind, _width(), alone=len(kinds) == 1) for kind in kinds]
    say("\n\n".join("\n".join(lines) for lines in sections))
    return 0


def _width() -> int | None:
    """Columns of the terminal; None when the output goes elsewhere and nothing need be cut."""
    if not sys.stdout.isatty():
        return None
    return max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST)


def _section(kind: str, width: int | None, *, alone: bool) -> list[str]:
    if kind == "scenarios":
        lines = _scenario_lines(width)
    elif kind == "processes":
        lines = _process_lines(width)
    else:
        lines = _recording_lines(width)
    return lines if alone else [kind.upper(), *(f"  {line}" if line else "" for line in lines)]


def _scenario_lines(width: int | None) -> list[str]:
    from perftui.probes.text.units import format_bytes
    from perftui.scenarios.data.cache import cache_use
    from perftui.scenarios.run.runner import catalogue

    lines: list[str] = []
    for scenario in catalogue():
        lines += _one_scenario(scenario, (width or 100) - 2)
        lines.append("")
    lines.append("FILE.py:FUNCTION runs a function of your own; its keywords are the parameters.")
    use = cache_use()
    lines.append(
        f"cache: {format_bytes(use.bytes)} in {use.folder}"
        + ("; delete it with `perftui list --clear-cache`" if use.bytes else "")
    )
    return lines


def _one_scenario(scenario: Scenario, width: int) -> list[str]:
    from perftui.scenarios.define.requirements import install_advice, missing_modules
    from perftui.scenarios.servers.postgres import server_to_install

    lines = _wrapped(f"{scenario.reference}: {scenario.summary}", width, indent="    ")
    if scenario.shows:
        lines += _wrapped(f"    shows: {scenario.shows}", width, indent="      ")
    for parameter in scenario.parameters:
        about = f" ({parameter.help})" if parameter.help else ""
        lines += _wrapped(
            f"    -p {parameter.name}={parameter.format(parameter.default)}  "
            f"{parameter.accepts()}{about}",
            width,
            indent="        ",
        )
    missing = missing_modules(scenario.requires)
    optional = missing_modules(scenario.uses)
    if optional:
        # Never cut or wrapped: it is there to be copied.
        names = ", ".join(optional)
        lines.append(f"    not installed, for some values: {names}; {install_advice(optional)}")
    server = server_to_install(scenario.uses)
    if server is not None:
        lines.append(f"    no PostgreSQL server, for target=postgres: run {server}, or -p dsn=DSN")
    if missing:
        lines.append(f"    not installed: {', '.join(missing)}; {install_advice(missing)}")
    elif scenario.requires:
        lines.append(f"    needs: {', '.join(scenario.requires)} (installed)")
    return lines


def _recording_lines(width: int | None) -> list[str]:
    from perftui.probes.recording.remote.kept import waiting
    from perftui.probes.recording.shelf import shelf

    entries = shelf.entries()
    hints = []
    if entries:
        hints.append(
            f"in {shelf.folder()}; open one with `perftui open NAME`, or `perftui open last`"
        )
        lines = [*_lines_of(entries, width), ""]
    else:
        lines = ["none yet: every run is recorded, unless --no-record is given"]
    if count := len(waiting()):
        hints.append(
            f"{count} to be uploaded or being recorded for it: `perftui upload` sends them"
        )
    room = (width or 100) - 2
    return [*lines, *(line for hint in hints for line in _wrapped(hint, room, indent="  "))]


def _entries_at(where: str) -> list[tuple[Entry, str]]:
    """Return the recordings of another place, newest first, and where each is.

    Those that cannot be read are named.
    """
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.recording.shelf.several import sources_of
    from perftui.probes.recording.shelf.shelf import entry_of

    problems: list[str] = []
    try:
        found = [(entry_of(source), source.where) for source in sources_of(where, problems)]
    except RecordingError as error:
        raise UserError(str(error)) from error
    for problem in problems:
        tell(f"perftui: left out: {problem}")
    return sorted(found, key=lambda each: (-each[0].wall_ns, each[0].name))


def _lines_of(entries: Sequence[Entry], width: int | None) -> list[str]:
    from perftui.probes.text.units import format_bytes, format_seconds
    from perftui.tui.text.fit import shorten_middle

    rows: list[tuple[str, ...]] = [("name", "state", "when", "length", "peak", "alerts", "size")]
    for entry in entries:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.wall_ns / 1e9))
        rows.append(
            (
                entry.name,
                entry.state,
                when,
                "?" if entry.duration_s is None else format_seconds(entry.duration_s),
                "?" if entry.peak_rss_bytes is None else format_bytes(entry.peak_rss_bytes),
                str(entry.alerts or 0),
                format_bytes(entry.file_bytes),
            )
        )
    if width is not None and width < _ALL_COLUMNS:
        rows = [row[:-2] for row in rows]
    widths = widths_of(rows)
    if width is not None:
        widths[0] = min(widths[0], max(12, width - 4 - sum(widths[1:]) - 2 * len(widths[1:])))
    return aligned(
        [(shorten_middle(name, widths[0]), *others) for name, *others in rows], widths=widths
    )


def _recording_json(where: str | None) -> list[dict[str, Any]]:
    from perftui.probes.recording.shelf import shelf

    if where is None:
        found = [(entry, str(entry.path)) for entry in shelf.entries()]
    else:
        found = _entries_at(where)
    return [{**entry._asdict(), "path": at, "argv": list(entry.argv)} for entry, at in found]


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def _process_lines(width: int | None) -> list[str]:
    import shlex

    from perftui.probes.process.running import python_processes
    from perftui.probes.text.units import format_bytes, format_seconds
    from perftui.tui.text.fit import clean, shorten_middle

    processes = python_processes()
    if not processes:
        return ["no Python process is running (that you may see)"]
    header = ("PID", "PYTHON", "CPU", "RSS", "AGE", "USER")
    rows = [
        (
            str(process.pid),
            process.python or "?",
            f"{process.cpu_percent:.0f} %",
            format_bytes(process.rss_bytes),
            format_seconds(round(process.age_s)),
            clean(process.user or "?"),
        )
        for process in processes
    ]
    table = aligned([header, *rows], right=range(len(header) - 1))
    commands = ["COMMAND", *(clean(shlex.join(process.argv)) for process in processes)]
    lines = []
    for row, command in zip(table, commands, strict=True):
        room = None if width is None else max(width - 2 - len(row) - 2, 10)
        lines.append(f"{row}  {command if room is None else shorten_middle(command, room)}")
    return lines


def _as_json(kinds: Sequence[str], where: str | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"schema": 1}
    if "scenarios" in kinds:
        from perftui.scenarios.data.cache import cache_use
        from perftui.scenarios.run.runner import catalogue

        answer["scenarios"] = [_scenario_json(scenario) for scenario in catalogue()]
        use = cache_use()
        answer["cache"] = {
            "folder": str(use.folder),
            "bytes": use.bytes,
            "datasets": list(use.datasets),
        }
    if "processes" in kinds:
        from perftui.probes.process.running import python_processes

        answer["processes"] = [_process_json(process) for process in python_processes()]
    if "recordings" in kinds:
        answer["recordings"] = _recording_json(where)
    return answer


def _scenario_json(scenario: Scenario) -> dict[str, Any]:
    from perftui.scenarios.define.requirements import installable, missing_modules

    missing = missing_modules(scenario.requires)
    optional = missing_modules(scenario.uses)
    return {
        "name": scenario.reference,
        "summary": scenario.summary,
        "shows": scenario.shows,
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.kind,
                "default": parameter.format(parameter.default),
                "accepts": parameter.accepts(),
                "choices": [str(choice) for choice in parameter.choices],
                "help": parameter.help,
            }
            for parameter in scenario.parameters
        ],
        "requires": list(scenario.requires),
        "uses": list(scenario.uses),
        "missing": list(missing),
        "install": _command(missing),
        "optional_missing": list(optional),
        "optional_install": _command(optional),
        "no_release": [name for name in (*missing, *optional) if not installable([name])],
    }


def _command(modules: Sequence[str]) -> str | None:
    """The command that installs what of these can be had here; None if there is nothing."""
    from perftui.scenarios.define.requirements import installable, pip_command

    can = installable(modules)
    return pip_command(can) if can else None


def _process_json(process: PythonProcess) -> dict[str, Any]:
    return {
        "pid": process.pid,
        "python": process.python,
        "user": process.user,
        "cpu_percent": round(process.cpu_percent, 1),
        "cpu_s": round(process.cpu_s, 2),
        "rss_bytes": process.rss_bytes,
        "age_s": round(process.age_s, 1),
        "argv": list(process.argv),
    }


def _clear_cache(*, yes: bool) -> int:
    from perftui.probes.text.units import format_bytes
    from perftui.scenarios.data.cache import cache_use, clear_cache

    use = cache_use()
    if not use.bytes:
        say(f"the cache is empty: {use.folder}")
        return 0
    if not yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UserError("--clear-cache asks first; without a terminal add --yes")
        question = f"delete {format_bytes(use.bytes)} of generated data in {use.folder}? [y/N] "
        tell(question, end="")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            say("nothing was deleted")
            return 0
    try:
        freed, kept = clear_cache()
    except OSError as error:
        raise UserError(f"cannot clear {use.folder}: {error.strerror or error}") from None
    say(f"deleted {format_bytes(freed)}")
    if kept:
        say(f"kept, because a scenario uses it now: {', '.join(kept)}")
    return 0
