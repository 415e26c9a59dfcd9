"""`perftui detect`: the detectors alone, over traces that anything may have written."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.tui.cli import USAGE_ERROR, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from perftui.probes.detect.observations import Edge

_EPILOG = """\
TRACE.csv has the columns t_s, rss_bytes, cpu_percent (100 = one core), rows and phase; the last
three, and single cells, may be missing. FILE has JSON lines {"t_s": end of the call, "name",
"dur_s"}; the name "import:x" is an import. One JSON line per alert when it is raised (warn or
critical) and when it is cleared; with --all also marks (info), changes of severity, and the
evidence of each. A RECORDING tells what was found while it was made.
"""
_TOO_SHORT_S = 12.0
_RECORDING = ".perftui"


def add_parser(commands: Any) -> None:
    """Add `detect` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "detect",
        help="alerts of a recorded trace, one JSON line each",
        description="Run the detectors over a trace: one JSON alert per line.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("traces", nargs="+", metavar="TRACE", help="CSV, CSV.gz, or a recording")
    parser.add_argument("--events", metavar="FILE", help="calls and imports of the trace")
    parser.add_argument("--limit", metavar="BYTES", help="memory limit, like 1.5GB")
    parser.add_argument("--all", action="store_true", help="marks and changes of severity too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge every trace; unusable ones are told and make the exit code 2."""
    from perftui.probes.units import parse_bytes

    if args.events is not None and len(args.traces) > 1:
        raise UserError("--events belongs to one trace; name one TRACE")
    try:
        limit = None if args.limit is None else parse_bytes(args.limit)
    except ValueError as error:
        raise UserError(f"--limit: {error}") from error
    if limit == 0:
        raise UserError("--limit: a limit of 0 bytes leaves nothing to judge")
    several = len(args.traces) > 1
    unusable = 0
    for name in args.traces:
        unusable += not _judge(name, args.events, limit, several=several, everything=args.all)
    return USAGE_ERROR if unusable else 0


def _judge(
    name: str, events: str | None, limit: int | None, *, several: bool, everything: bool
) -> bool:
    """Print the alerts of one trace; False if it is unusable."""
    from perftui.probes.detect.engine import Engine
    from perftui.probes.detect.trace import TraceError, TraceFile
    from perftui.probes.recording.limits import RecordingError

    path = Path(name)
    try:
        if path.is_dir() or path.suffix == _RECORDING:
            _print(_recorded(path), name, several=several, everything=everything)
            return True
        trace = TraceFile(path, None if events is None else Path(events))
        for note in trace.notes:
            print(f"perftui: {name}: {note}", file=sys.stderr)
        if trace.duration_s < _TOO_SHORT_S:
            text = f"too short to judge its growth ({trace.duration_s:.1f} s)"
            print(f"perftui: {name}: {text}", file=sys.stderr)
        edges = Engine(limit).feed_all(trace.observations())
        _print(edges, name, several=several, everything=everything)
    except (TraceError, RecordingError) as error:
        print(f"perftui: {error}", file=sys.stderr)
        return False
    return True


def _recorded(path: Path) -> list[Edge]:
    """Return the alerts of a recording."""
    from perftui.probes.detect.replay import alerts_of
    from perftui.probes.recording.reader import open_recording

    return alerts_of(open_recording(path))


def _print(edges: Iterable[Edge], name: str, *, several: bool, everything: bool) -> None:
    for edge in edges if everything else _alerts(edges):
        row = as_json(edge, with_evidence=everything)
        print(json.dumps({"trace": name, **row} if several else row), flush=True)


def _alerts(edges: Iterable[Edge]) -> Iterable[Edge]:
    """Keep what reaches warn, once, and its clear."""
    said: set[tuple[str, float]] = set()
    for edge in edges:
        key = (edge.kind, edge.t_onset_s)
        if edge.severity == "clear":
            if key in said:
                said.discard(key)
                yield edge
        elif edge.severity != "info" and key not in said:
            said.add(key)
            yield edge


def as_json(edge: Edge, *, with_evidence: bool) -> dict[str, Any]:
    """Return the row of one alert."""
    row: dict[str, Any] = {
        "kind": edge.kind,
        "severity": edge.severity,
        "t_detect": round(edge.t_detect_s, 3),
        "t_onset": round(edge.t_onset_s, 3),
        "message": edge.message,
    }
    return {**row, "evidence": edge.evidence} if with_evidence else row
