"""4b: the law of growth of streaming and collecting, and what passes a memory limit."""

from __future__ import annotations

from typing import Any

from perftui.probes.text.units import format_bytes
from workload_report.markdown import named, table
from workload_report.measuring import Collected
from workload_report.section import Data, Section
from workload_report.streaming import ENGINES, MODES

SIZES = "size=60MB,120MB,240MB"
LIMIT = "500MB"
LIMITED = "size=100MB,300MB,600MB"
_KINDS = {"collect": "collecting", "stream": "streaming"}

Row = dict[str, Any]


def measure(quick: bool) -> Data:
    """Sweep over the size, per engine and mode; then once more under a limit."""
    collected = Collected()
    over = "size=10MB,20MB,40MB" if quick else SIZES
    for engine in ENGINES[:2] if quick else ENGINES:
        for mode in MODES:
            collected.sweep(
                "stream-vs-collect",
                *("--over", over, "--runs", "2"),
                engine=engine,
                mode=mode,
                passes=1,
                settle=0,
            )
    growth, collected.sweeps = collected.sweeps, []
    for mode in MODES:
        collected.sweep(
            "stream-vs-collect",
            *("--over", over if quick else LIMITED, "--runs", "1"),
            *("--limit", "130MB" if quick else LIMIT),
            engine="polars",
            mode=mode,
            passes=1,
            settle=0,
        )
    return {**collected.data(), "sweeps": growth, "limited": collected.sweeps}


def write(data: Data) -> str:
    """The exponents, and what passed under the limit."""
    parts = [_says(data["sweeps"])]
    parts += [
        _growth(data["sweeps"]),
        "Exponents of the size, with the 95 % interval; where growth bends, of the larger sizes. "
        "Constant: ten times the data take less than 2.5 times as much.",
    ]
    if data["limited"]:
        limit = format_bytes(data["limited"][0]["limit"]["bytes"])
        parts += [f"Polars under a limit of {limit} for the process tree:"]
        parts += [_limited(data["limited"])]
    return "\n\n".join(parts)


def _says(sweeps: list[Row]) -> str:
    said = []
    for mode in reversed(MODES):
        verdicts = {
            each["engine"]: each["memory"]["verdict"] for each in sweeps if each["mode"] == mode
        }
        said.append(f"{_KINDS[mode]}, {_by_kind(verdicts)}")
    return f"By the law of growth: {'; '.join(said)}."


def _by_kind(verdicts: dict[str, str]) -> str:
    """Say "memory is constant in a, b and c, no verdict for d"."""
    by_verdict: dict[str, list[str]] = {}
    for engine, verdict in verdicts.items():
        by_verdict.setdefault(verdict, []).append(engine)
    kinds = sorted(by_verdict.items(), key=lambda item: -len(item[1]))
    return ", ".join(
        f"no verdict for {named(engines)}"
        if verdict == "cannot tell"
        else f"memory is {verdict} in {named(engines)}"
        for verdict, engines in kinds
    )


def _growth(sweeps: list[Row]) -> str:
    return table(
        ("engine", "mode", "memory", "exponent", "time", "exponent"),
        [
            (
                each["engine"],
                each["mode"],
                each["memory"]["verdict"],
                _exponent(each["memory"]),
                each["time"]["verdict"],
                _exponent(each["time"]),
            )
            for each in sweeps
        ],
        left=3,
    )


def _exponent(law: Row) -> str:
    """The slope that the verdict went by: where growth bends, that of the larger sizes."""
    slope = law["exponent"]
    if slope is None:
        return "-"
    if "at the large end" in law["words"] and law["large_end"] is not None:
        slope = law["large_end"]
    return f"{slope['exponent']:.2f} ({slope['low']:.2f} to {slope['high']:.2f})"


def _limited(sweeps: list[Row]) -> str:
    sizes = [size["value"] for size in sweeps[0]["sizes"]]
    return table(
        ("mode", *sizes),
        [(each["mode"], *(_outcome(size) for size in each["sizes"])) for each in sweeps],
    )


def _outcome(size: Row) -> str:
    if size["outcome"] != "done" or size["peak_above_base_bytes"] is None:
        return str(size["outcome"])
    return f"done, +{format_bytes(size['peak_above_base_bytes'])}"


SECTION = Section("4b", "How memory and time grow with the data", measure, write)
