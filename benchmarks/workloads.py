"""The five workloads of Python data systems, measured here, as a page with all its figures.

    python benchmarks/workloads.py -o docs/workloads.md      everything: about twelve minutes
    python benchmarks/workloads.py --only 2 --only 5         these again, the others stay
    python benchmarks/workloads.py --missing                 what is not there yet
    python benchmarks/workloads.py --render                  the page once more, from the figures
    python benchmarks/workloads.py --quick -o /tmp/page.md   small sizes, to see that it works

Every figure comes from a scenario that runs under perftui (`perftui run`, `perftui sweep`): its
summary is what perftui saw, its own figures are every single run behind the tables it prints. They
are kept in a JSON file beside the page (or --json FILE), section by section as they are done, so
that an interrupted run goes on with --missing. Wants the extra: pip install 'perftui[systems]'.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from workload_report import (
    cold_start,
    growth,
    loaders,
    persistent_worker,
    store,
    streaming,
)
from workload_report import (
    versions as releases,
)
from workload_report.machine import load_average, machine, versions
from workload_report.page import SCHEMA, page, summary_line

SECTIONS = (
    persistent_worker.SECTION,
    releases.SECTION,
    cold_start.SECTION,
    loaders.SECTION,
    streaming.SECTION,
    growth.SECTION,
    store.SECTION,
)


def main(argv: list[str] | None = None) -> int:
    """Measure, keep, write; 2 on bad input, 1 if a run failed."""
    args = _parser().parse_args(argv)
    output = args.output
    figures = args.json or output.with_suffix(".json")
    try:
        report = _read(figures)
        wanted = _wanted(args, report)
        if len(wanted) == len(SECTIONS):
            report = _empty()
        elif wanted:
            _check_same_place(figures, report)
        for section in SECTIONS:
            if section.number not in wanted:
                continue
            print(f"{section.number}. {section.title}", file=sys.stderr, flush=True)
            began, load = time.monotonic(), load_average()
            data = section.measure(args.quick)
            here, with_ = machine(), versions()
            if not report["sections"]:
                report["machine"], report["versions"] = here, with_
            report["sections"][section.number] = {
                **data,
                "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
                "took_s": time.monotonic() - began,
                "load_average": load,
                "cores": len(os.sched_getaffinity(0)),
                "quick": args.quick,
                "with": {"perftui": with_["perftui"], "kernel": here["kernel"]},
            }
            # After each section: what has been measured is not lost to what comes.
            _write(figures, json.dumps(report, indent=1, allow_nan=False) + "\n")
        if not report["sections"]:
            raise _BadInput(f"there are no figures in {figures}: measure first, without --render")
        _write(output, page(report, SECTIONS))
    except _BadInput as error:
        print(f"workloads: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("workloads: interrupted; go on with --missing", file=sys.stderr)
        return 130
    print(f"{output}: {summary_line(report, SECTIONS)}")
    failed = [each for number in wanted for each in report["sections"][number]["failed"]]
    for each in failed:
        print(f"   {each['command']}: {each['why']}", file=sys.stderr)
    return 1 if failed else 0


class _BadInput(Exception):
    """One line that says what to do."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=__doc__.partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("docs/workloads.md"),
        metavar="FILE",
        help="the page (docs/workloads.md)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="the figures; default: beside the page"
    )
    numbers = [section.number for section in SECTIONS]
    parser.add_argument(
        "--only",
        action="append",
        choices=numbers,
        metavar="N",
        help="measure this section; may be repeated",
    )
    parser.add_argument("--missing", action="store_true", help="measure what is not there yet")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--quick", action="store_true", help="small sizes and few engines")
    return parser


def _wanted(args: argparse.Namespace, report: dict[str, Any]) -> list[str]:
    if args.render:
        return []
    numbers = args.only or [section.number for section in SECTIONS]
    if args.missing:
        return [number for number in numbers if number not in report["sections"]]
    return sorted(set(numbers))


def _empty() -> dict[str, Any]:
    return {"schema": SCHEMA, "machine": machine(), "versions": versions(), "sections": {}}


def _check_same_place(file: Path, report: dict[str, Any]) -> None:
    """Figures of another machine, or of other versions, cannot stand beside those of this one."""
    if not report["sections"]:
        return
    here = {**machine(), **versions()}
    there = {**report["machine"], **report["versions"]}
    for name in here:
        if _differs(name, here[name], there.get(name)):
            raise _BadInput(
                f"{file} was measured with {name} {there.get(name)}, and here it is {here[name]}: "
                "measure all sections, or give another --json"
            )


def _differs(name: str, here: Any, there: Any) -> bool:
    """Tell whether a difference forbids the comparison; a section tells perftui and the kernel."""
    if name == "perftui":
        return False
    if name == "kernel":  # another build of it is the same kernel
        return str(here).partition("-")[0] != str(there).partition("-")[0]
    if name == "memory_bytes":  # what a kernel keeps for itself differs from build to build
        return there is None or abs(here - there) > here / 100
    return bool(here != there)


def _read(file: Path) -> dict[str, Any]:
    """The figures so far."""
    if not file.exists():
        return _empty()
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _BadInput(f"cannot read {file}: {error}; delete it or give another --json") from None
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise _BadInput(f"{file} is no file of this program; give another --json")
    return report


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _BadInput(f"cannot write {file}: {error.strerror or error}") from None


if __name__ == "__main__":
    sys.exit(main())
