"""The process that runs a scenario: `python -m perftui.scenarios.run.child NAME [PARAM=VALUE]...`.

It runs the same under perftui's agent and without it. Exit codes: 0 done, 1 the scenario
failed (traceback and one line on stderr), 2 it could not be run as asked (one line). A scenario
of the catalogue that is interrupted removes what it made, says so, and ends by that signal.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from perftui.probes.own.path import OurPlaces, give_back, take_out
from perftui.probes.own.standard_streams import hold_standard_streams
from perftui.scenarios.catalogue.table import CATALOGUE, load
from perftui.scenarios.define.definition import definition_of
from perftui.scenarios.define.parameters import ScenarioError, bind, parameters_of
from perftui.scenarios.define.requirements import require
from perftui.scenarios.run.disk_full import disk_full_words, says_disk_full
from perftui.scenarios.run.installed import load_installed
from perftui.scenarios.run.kept_runs import Surroundings, order_line, run_kept
from perftui.scenarios.run.patient_output import be_patient
from perftui.scenarios.run.runner import resolve
from perftui.scenarios.run.user_file import load_function, split_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

_T_MAIN_NS = time.monotonic_ns()
_QUIET_LOGS = {"LANCE_LOG": "error", "LANCEDB_LOG": "error"}
"""Lance writes a line per query; only both names together silence it."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived: unwind, so that a scenario removes what it made."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number)
        self.number = number


def main(argv: Sequence[str]) -> int:
    """Run one scenario. `argv`: its reference and NAME=VALUE texts."""
    hold_standard_streams()
    patient = be_patient() if argv and argv[0] in CATALOGUE else None
    code = _main(argv)
    problem = None if patient is None else patient.problem()
    if problem is not None:
        return _refuse(problem) if code == 0 else code
    return code


def _main(argv: Sequence[str]) -> int:
    if not argv:
        return _refuse("a scenario is missing: python -m perftui.scenarios.run.child NAME")
    take_out()  # done already, unless somebody has started us with -m
    reference, *texts = argv
    line = order_line()
    surroundings = None if line is None else Surroundings()
    for name, value in _QUIET_LOGS.items():
        os.environ.setdefault(name, value)
    # A program that was started this way must see itself in argv, not the runner's module.
    sys.argv = [reference, *texts]
    try:
        function = _load(reference)
        with OurPlaces():
            values = bind(parameters_of(function), texts)
        require(reference, definition_of(function).requires, own=reference in CATALOGUE)
        if reference in CATALOGUE:
            for number in (signal.SIGTERM, signal.SIGHUP):
                # One that is ignored stays so: that is what nohup is for.
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, _terminated)
        if line is None or surroundings is None:
            function(**values)
            sys.stdout.flush()
            return 0
        return run_kept(partial(_once, reference, function, values), line, surroundings, _T_MAIN_NS)
    except ScenarioError as error:
        return _refuse(str(error))
    except Terminated as ended:
        _say_interrupted(reference)
        _die_of(ended.number)
    except KeyboardInterrupt:
        if reference not in CATALOGUE:
            raise
        _say_interrupted(reference)
        _die_of(signal.SIGINT)
    except (SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        if says_disk_full(error):
            return _refuse(disk_full_words(error))
        # Not `Exception`: panics of Rust libraries (pyo3's PanicException) derive from its base.
        return _report(reference, error)


def _once(reference: str, function: Callable[..., Any], values: dict[str, object]) -> int:
    """Run it in a process that stays: what it raises, or that it exits, ends the run alone."""
    try:
        function(**values)
    except (ScenarioError, Terminated, KeyboardInterrupt, GeneratorExit):
        raise
    except SystemExit as leave:
        if leave.code is None or isinstance(leave.code, int):
            return leave.code or 0
        print(leave.code, file=sys.stderr)
        return 1
    except BaseException as error:
        if says_disk_full(error):
            return _refuse(disk_full_words(error))
        return _report(reference, error)
    return 0


def _load(reference: str) -> Callable[..., Any]:
    in_file = split_reference(reference)
    if in_file is not None:
        return load_function(*in_file)
    if reference in CATALOGUE:
        return load(reference)
    resolve(reference)  # says what is wrong if there is none
    give_back()
    installed = load_installed(reference)
    assert installed is not None
    return installed


def _refuse(message: str) -> int:
    with suppress(OSError):
        print(f"perftui: {message}", file=sys.stderr)
    return 2


def _report(reference: str, error: BaseException) -> int:
    # The first frame is this module's own call: no news to the reader.
    trace = error.__traceback__.tb_next if error.__traceback__ is not None else None
    with OurPlaces():
        sys.__excepthook__(type(error), error.with_traceback(trace), trace)
    text = " ".join(str(error).split()) or "no message"
    print(f"perftui: {reference} failed: {type(error).__name__}: {text}", file=sys.stderr)
    return 1


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated(signal.Signals(number))


def _say_interrupted(reference: str) -> None:
    with suppress(OSError):  # the terminal may be what has gone
        print(f"perftui: {reference} was interrupted; what it made is removed", file=sys.stderr)


def _die_of(number: signal.Signals) -> NoReturn:
    """End as the signal would have ended us, so that the caller sees the true reason."""
    sys.stdout.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
