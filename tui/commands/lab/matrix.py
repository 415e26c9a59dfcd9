"""`perftui matrix`: one scenario across releases of a package, each in a kept environment."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from perftui.tui.commands import options
from perftui.tui.commands.lab.on import add_on, measured_on
from perftui.tui.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perftui.scenarios.bench.keep import KeptRecording
    from perftui.scenarios.bench.series import LabSeries
    from perftui.scenarios.elsewhere.place import Elsewhere
    from perftui.scenarios.matrix.bisect import Bisected
    from perftui.scenarios.matrix.matrix import Matrix
    from perftui.scenarios.matrix.plan import MatrixPlan, Release
    from perftui.scenarios.run.runner import Scenario
    from perftui.tui.matrix.live import MatrixLive
    from perftui.tui.matrix.progress import MatrixProgress
    from perftui.tui.terminal.ending import Ending

    GoOn = Callable[[], None]

INCONCLUSIVE = 3
_DAY_S = 86_400.0
_DESCRIPTION = """\
Run a scenario with several releases of a package. Each gets a virtual environment, which is kept
for the next time; all are run in turns in fresh processes, so that they can be compared. Packages
are installed by uv where it is there, else by pip, from wherever these install."""
_EPILOG = """\
examples:
  perftui matrix duckdb-query --package duckdb --versions last:3
  perftui matrix load.py:nightly --package pylance --versions 13.0.0,14.0.2 --with pyarrow==20.0.0
  perftui matrix query.py:first --package polars --versions 1.20.0,1.35.0 --bisect
  perftui matrix query.py:first --package polars --versions 1.35.0 --python 3.11,3.13
  perftui matrix --list             environments that are kept
  perftui matrix --prune 30         remove those that were not used for 30 days

exit code: 0 measured, 2 it cannot be, 3 a bisection that could not be decided, 130 stopped in the
middle (what is known is printed)
"""


def add_parser(commands: Any) -> None:
    """Add `matrix` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "matrix",
        help="one scenario across releases of a package, in kept environments",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "scenario", metavar="SCENARIO", nargs="?", help="of the catalogue, or FILE.py:FUNCTION"
    )
    parser.add_argument("-p", "--param", action="append", default=[], metavar="NAME=VALUE")
    group = parser.add_argument_group("versions")
    group.add_argument("--package", metavar="NAME", help="as pip installs it")
    group.add_argument("--versions", metavar="V1,V2,...", help="or last:N for the newest releases")
    group.add_argument(
        "--python", metavar="V1,V2,...", help="interpreters: 3.12, or a path; default: this one"
    )
    group.add_argument(
        "--with",
        dest="beside",
        action="append",
        default=[],
        metavar="REQUIREMENT",
        help="installed into every environment too",
    )
    group.add_argument(
        "--bisect",
        nargs="?",
        const="",
        metavar="FIGURE",
        help="two versions: find the release between them at which a figure jumped; default: the "
        "figure that changed most",
    )
    group = parser.add_argument_group("environments")
    group.add_argument("--installer", choices=("auto", "uv", "pip"), default="auto")
    group.add_argument(
        "--jobs", type=options.count_of_runs, default=4, metavar="N", help="made at a time (4)"
    )
    group.add_argument("--offline", action="store_true", help="ask no index: only what is kept")
    group.add_argument("--list", action="store_true", help="list the environments that are kept")
    group.add_argument(
        "--prune",
        nargs="?",
        const=0.0,
        type=_days,
        metavar="DAYS",
        help="remove those that nobody has used for so long, and checkouts of bench's revisions "
        "(0: all that are not in use)",
    )
    group = parser.add_argument_group("how often")
    add_on(group)
    group.add_argument("--runs", type=options.count_of_runs, default=5, metavar="N", help="(5)")
    options.add_calls(group)
    group.add_argument("--time-limit", type=options.seconds, metavar="S", help="of the runs")
    options.add_keep(group)
    options.add_threshold(group)
    options.add_headless(group)
    parser.add_argument("--json", metavar="FILE", help="as JSON (schema 1); '-' is standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, and print what was found."""
    options.check_json_path(args.json)
    if args.list or args.prune is not None:
        return _shelf(args)
    from perftui.probes.target.target import LaunchError
    from perftui.scenarios.define.parameters import ScenarioError
    from perftui.tui.terminal.ending import Ending

    for needed in ("scenario", "package", "versions"):
        if getattr(args, needed) is None:
            name = "SCENARIO" if needed == "scenario" else f"--{needed}"
            raise UserError(f"matrix needs {name}; see perftui matrix --help")
    with Ending() as ending:
        try:
            with measured_on(args) as place:
                return _measure(args, ending, place)
        except (ScenarioError, LaunchError) as error:
            raise UserError(str(error)) from error


def _measure(args: argparse.Namespace, ending: Ending, place: Elsewhere | None) -> int:
    from perftui.scenarios.bench.keep import keep, parse_keep
    from perftui.scenarios.matrix.jumps import jumps_of, steps_of
    from perftui.tui.text.words import tell

    wanted = frozenset[str]() if args.keep is None else parse_keep(args.keep)
    measuring = _Measuring(args, _plan(args, place))
    stopped: int | None = None
    bisected = None
    try:
        bisected = _run(args, measuring, ending)
    except SystemExit as stop:
        if measuring.matrix is None or not measuring.matrix.measured:
            keep(measuring.named_series(), frozenset())
            tell("perftui: stopped before there was anything to tell")
            raise
        stopped, measuring.matrix.stopped = int(stop.code or 130), True
    except BaseException:
        keep(measuring.named_series(), frozenset())
        raise
    matrix = measuring.matrix
    assert matrix is not None
    steps = steps_of(matrix)
    if steps:
        matrix.plan.gate.check([row.key for row in steps[0].answer.rows])
    kept = keep(measuring.named_series(), wanted)
    _report(args, matrix, bisected, steps, jumps_of(steps), kept)
    if stopped is not None:
        return stopped
    return INCONCLUSIVE if bisected is not None and not bisected.found else 0


class _Measuring:
    """A matrix from its environments to its end; what is known is in it all the while."""

    def __init__(self, args: argparse.Namespace, plan: MatrixPlan) -> None:
        from perftui.scenarios.environments.installer import find_installer

        self.args, self.plan = args, plan
        if args.bisect is not None and len(plan.cells) != 2:
            raise UserError("--bisect searches between two versions: --versions GOOD,BAD")
        self._known = [] if args.bisect is None else _releases(args, plan)
        self._installer = find_installer(args.installer)
        self.matrix: Matrix | None = None

    def run(
        self, watch: MatrixProgress | MatrixLive, tell: Callable[[str], None], go_on: GoOn
    ) -> Bisected | None:
        """Measure; returns what a bisection has found, None if none was asked for."""
        from perftui.scenarios.matrix.bisect import bisect
        from perftui.scenarios.matrix.matrix import Matrix, run_matrix
        from perftui.scenarios.matrix.prepare import prepare

        args = self.args
        preparation = prepare(
            self.plan,
            self._installer,
            watch.prepared,
            jobs=args.jobs,
            offline=args.offline,
            go_on=go_on,
        )
        matrix = self.matrix = Matrix(self.plan, preparation)
        watch.begin(matrix)
        run_matrix(matrix, watch.ran, watch.begins, go_on)
        if args.bisect is None:
            return None
        return bisect(
            matrix,
            self._known,
            args.bisect or None,
            self._installer,
            tell,
            offline=args.offline,
            go_on=go_on,
        )

    def named_series(self) -> list[tuple[str, LabSeries]]:
        """Return the runs of each release, with its name."""
        columns = [] if self.matrix is None else self.matrix.columns
        return [(column.cell.name, column.series) for column in columns]


def _run(args: argparse.Namespace, measuring: _Measuring, ending: Ending) -> Bisected | None:
    """Measure, on the screen where there is one."""
    if args.json is not None or not options.wants_screen(args):
        from perftui.tui.matrix.progress import MatrixProgress
        from perftui.tui.text.words import tell

        progress = MatrixProgress(measuring.plan)
        try:
            return measuring.run(progress, tell, ending.leave_now_if_asked)
        finally:
            progress.clear()
    from perftui.tui.matrix.live import MatrixLive
    from perftui.tui.watch.lab.on_screen import run_on_screen

    live = MatrixLive(measuring.plan)

    def work(go_on: GoOn) -> Bisected | None:
        found = measuring.run(live, live.tell, go_on)
        live.finished(found)
        return found

    return run_on_screen(work, live, ending)


def _report(
    args: argparse.Namespace,
    matrix: Matrix,
    bisected: Bisected | None,
    steps: Any,
    jumps: Any,
    kept: list[KeptRecording],
) -> None:
    from perftui.tui.bench.table import kept_lines
    from perftui.tui.matrix.table import matrix_text
    from perftui.tui.text.words import say

    if args.json is not None:
        from perftui.scenarios.matrix.as_json import as_json
        from perftui.tui.watch.json_file import write_json

        write_json(as_json(matrix, steps, jumps, bisected), args.json)
    if args.json != "-":
        if bisected is not None:
            say(f"{bisected.words()}\n")
        say(matrix_text(matrix, steps, jumps))
        for line in kept_lines(kept, several=True):
            say(line)


def _releases(args: argparse.Namespace, plan: MatrixPlan) -> list[str]:
    """Return what lies between the ends of a bisection, asked for before anything is measured."""
    from perftui.scenarios.environments.releases import kept_versions, released

    interpreter = plan.cells[0].interpreter
    if args.offline:
        return kept_versions(plan.package, interpreter)
    return released(plan.package, interpreter)


def _plan(args: argparse.Namespace, place: Elsewhere | None) -> MatrixPlan:
    from perftui.scenarios.bench.gate import parse_thresholds
    from perftui.scenarios.bench.lab_run import RECORDED, LabOptions
    from perftui.scenarios.catalogue.table import CATALOGUE
    from perftui.scenarios.environments.releases import checked_name
    from perftui.scenarios.matrix.plan import MatrixPlan
    from perftui.scenarios.run.runner import resolve

    package = checked_name(args.package)
    scenario: Scenario = resolve(args.scenario)
    return MatrixPlan(
        scenario,
        scenario.bind(args.param),
        own=args.scenario in CATALOGUE,
        package=package,
        cells=_cells(args, package),
        beside=tuple(args.beside),
        runs=args.runs,
        calls=args.calls,
        time_limit_s=args.time_limit,
        options=(LabOptions() if args.keep is None else RECORDED)._replace(elsewhere=place),
        gate=parse_thresholds(args.threshold),
    )


def _cells(args: argparse.Namespace, package: str) -> tuple[Release, ...]:
    from perftui.scenarios.environments.interpreters import find_interpreter
    from perftui.scenarios.environments.releases import versions_of
    from perftui.scenarios.matrix.plan import cells_of

    asked = [None] if args.python is None else re.split(r"\s*,\s*", args.python.strip())
    pairs = []
    for word in asked:
        interpreter = find_interpreter(word)
        pairs.append(
            (interpreter, versions_of(package, args.versions, interpreter, offline=args.offline))
        )
    return cells_of(package, pairs)


def _shelf(args: argparse.Namespace) -> int:
    from perftui.probes.text.units import format_bytes
    from perftui.scenarios.bench.revision import prune_revisions
    from perftui.scenarios.environments.kept import kept_environments, prune
    from perftui.tui.matrix.shelf import shelf_json, shelf_lines
    from perftui.tui.text.words import say

    if args.prune is not None:
        freed, in_use = prune(args.prune * _DAY_S)
        checkouts, used = prune_revisions(args.prune * _DAY_S)
        in_use += used
        kept = f"; in use and kept: {', '.join(in_use)}" if in_use else ""
        also = f" and checkouts of {format_bytes(checkouts)}" if checkouts else ""
        say(f"removed environments of {format_bytes(freed)}{also}{kept}")
        return 0
    kept_now = kept_environments()
    if args.json is not None:
        from perftui.tui.watch.json_file import write_json

        write_json(shelf_json(kept_now), args.json)
    if args.json != "-":
        say("\n".join(shelf_lines(kept_now)))
    return 0


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days < 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return days
