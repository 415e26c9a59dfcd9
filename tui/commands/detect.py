"""`perftui detect`: the detectors alone, over traces that anything may have written."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.tui.commands import options
from perftui.tui.commands.recorded import said, say_lost
from perftui.tui.errors import USAGE_ERROR, UserError
from perftui.tui.text.words import is_heard, say, tell
from perftui.tui.watch.gate import GATE_FAILED, seen_in, tell_failures, tell_unjudged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from perftui.probes.detect.evidence.observations import Edge, Observation
    from perftui.probes.detect.judged import Seen

_EPILOG = """\
TRACE.csv has the columns t_s, rss_bytes, cpu_percent (100 = one core), rows and phase; the last
three, and single cells, may be missing. FILE has JSON lines {"t_s": end of the call, "name",
"dur_s"}; the name "import:x" is an import. One JSON line per alert when it is raised (warn or
critical) and when it is cleared; with --all also marks (info), changes of severity, and the
evidence of each. A RECORDING (a path, a name on the shelf, or last) is judged anew with today's
rules, by the memory limit that was known then or by --limit; --recorded tells what was found while
it was made. Exit code 1 if --fail-on names an alert that was raised, 2 if a trace is unusable.
"""
_RECORDINGS = (".perftui", ".zip")


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
    parser.add_argument(
        "--recorded", action="store_true", help="of a recording: what was told while it was made"
    )
    options.add_fail_on(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge every trace; unusable ones are told and make the exit code 2."""
    from perftui.probes.text.units import parse_bytes

    if args.events is not None and len(args.traces) > 1:
        raise UserError("--events belongs to one trace; name one TRACE")
    try:
        limit = None if args.limit is None else parse_bytes(args.limit)
    except ValueError as error:
        raise UserError(f"--limit: {error}") from error
    if limit == 0:
        raise UserError("--limit: a limit of 0 bytes leaves nothing to judge")
    judge = _Judge(args, limit)
    for name in args.traces:
        judge.trace(name)
    if judge.unusable:
        return USAGE_ERROR
    return GATE_FAILED if judge.failed else 0


class _Judge:
    """Judges one trace after another, and keeps what the exit code tells."""

    def __init__(self, args: argparse.Namespace, limit: int | None) -> None:
        self._args = args
        self._limit = limit
        self._several = len(args.traces) > 1
        self.unusable = self.failed = False
        self._gates: set[str] = set()
        """Gates that the trace in hand has failed."""
        self._marks: dict[tuple[str, float], Edge] = {}
        """Marks and alerts of the trace in hand that have not gone away."""

    def trace(self, name: str) -> None:
        """Print the alerts of one trace, or why there is nothing to judge."""
        from perftui.probes.detect.trace import TraceError
        from perftui.probes.recording.format.limits import RecordingError

        try:
            recording = _recording_of(name)
            if recording is not None:
                self._recording(recording, name)
            else:
                self._csv(name)
        except (TraceError, RecordingError) as error:
            tell(f"perftui: {error}")
            self.unusable = True

    def _recording(self, path: Path, name: str) -> None:
        from perftui.probes.detect.replay import alerts_of, judged_anew
        from perftui.probes.recording.format.limits import RecordingError
        from perftui.probes.recording.read.reader import open_recording

        reader = open_recording(path)
        limit = reader.limit_bytes if self._limit is None else self._limit
        try:
            if self._args.recorded:
                edges: Iterable[Edge] = alerts_of(reader)
            else:
                if reader.last("rss_bytes") is None:
                    raise RecordingError(f"{name}: nothing was measured, there is nothing to judge")
                edges = judged_anew(
                    reader,
                    reader.batches(),
                    limit_bytes=limit,
                    cores=reader.cores,
                    stacks=reader.has_stacks,
                )
            self._print(edges, name)
            self._say_unjudged(seen_in(reader, limit=limit is not None), name)
        finally:
            say_lost(reader)

    def _csv(self, name: str) -> None:
        from perftui.probes.detect.engine import Engine
        from perftui.probes.detect.evidence.history import BUCKET_S
        from perftui.probes.detect.evidence.observations import CallEnded, TreeReading
        from perftui.probes.detect.judged import END_BLOCKS, END_S, Seen, rose_to_end
        from perftui.probes.detect.registry import DETECTORS
        from perftui.probes.detect.trace import TraceFile

        events = self._args.events
        trace = TraceFile(Path(name), None if events is None else Path(events))
        for note in trace.notes:
            tell(f"perftui: {name}: {note}")
        if trace.duration_s < DETECTORS["streaming_violation"].needs_s:
            text = f"too short to judge its growth ({trace.duration_s:.1f} s)"
            tell(f"perftui: {name}: {text}")
        calls = counts = phases = False

        def observations() -> Iterator[Observation]:
            nonlocal calls, counts, phases
            for seen in trace.observations():
                if isinstance(seen, TreeReading):
                    counts = counts or seen.rows is not None
                    phases = phases or seen.phase is not None
                elif isinstance(seen, CallEnded):
                    calls = True
                yield seen

        engine = Engine(self._limit)
        self._print(engine.feed_all(observations()), name)
        history = engine.context.history
        size = round(END_S / BUCKET_S) // END_BLOCKS
        seen = Seen(
            trace.duration_s,
            calls,
            counts,
            phases,
            self._limit is not None,
            agent=False,
            alike=False,
            rose_bytes=rose_to_end(history.block_floors(size, END_BLOCKS)),
        )
        self._say_unjudged(seen, name)

    def _print(self, edges: Iterable[Edge], name: str) -> None:
        """Print what was found; keep which gates failed, and the marks."""
        everything: bool = self._args.all
        self._gates, self._marks = set(), {}
        edges = self._noted(edges)
        for edge in edges if everything else _alerts(edges):
            row = as_json(edge, with_evidence=everything)
            say(json.dumps({"trace": name, **row} if self._several else row), now=True)
            if not is_heard() and not self._args.fail_on:
                break  # nobody reads on, and there is nothing to judge

    def _noted(self, edges: Iterable[Edge]) -> Iterator[Edge]:
        for edge in edges:
            yield edge
            key = (edge.kind, edge.t_onset_s)
            if edge.severity == "clear":
                self._marks.pop(key, None)  # what went away was judged
            else:
                self._marks[key] = edge
            if edge.severity in ("warn", "critical"):
                wanted = [kind for kind in self._args.fail_on if kind not in self._gates]
                failed = tell_failures(edge, wanted)
                self._gates.update(failed)
                self.failed = self.failed or bool(failed)

    def _say_unjudged(self, seen: Seen, name: str) -> None:
        from perftui.probes.detect.judged import undecided, unjudged

        rest = [kind for kind in self._args.fail_on if kind not in self._gates]
        tell_unjudged(
            {**undecided(rest, self._marks.values()), **unjudged(rest, seen)}, f"{name}: "
        )


def _recording_of(name: str) -> Path | None:
    """Return the recording that a word names: a path, a name on the shelf, or `last`."""
    from perftui.probes.recording.format.limits import RecordingError
    from perftui.probes.recording.shelf.shelf import LAST, AmbiguousName, resolve

    if "://" in name:
        return resolve(name, say=said)
    path = Path(name)
    if path.is_dir() or path.suffix in _RECORDINGS:
        return path
    if path.exists() or path.suffix in (".csv", ".gz"):
        return None
    try:
        return resolve(name)
    except AmbiguousName:
        raise
    except RecordingError as error:
        if name == LAST:
            raise
        raise RecordingError(f"{name}: no such file, and no recording of that name") from error


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
