"""What `import X` costs: the tree of imports here, then the same import in fresh processes."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from statistics import median
from time import perf_counter
from typing import Annotated

import perftui
from perftui.probes.own.path import find_theirs, give_back
from perftui.probes.own.python import code_for_others, own_code
from perftui.probes.text.units import format_bytes, format_seconds
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, ScenarioError
from perftui.scenarios.define.requirements import missing_modules
from perftui.scenarios.say.process_memory import rss_bytes


@scenario(
    "import-cost",
    summary="import one package, then again in fresh processes",
    shows="which modules an import spends its time and memory in",
)
def import_cost(
    package: Annotated[str, "any importable module"] = "lancedb",
    repeats: Annotated[int, Range(0, 1000), "fresh processes that import it again"] = 3,
) -> None:
    """See the module."""
    if not all(part.isidentifier() for part in package.split(".")):
        raise ScenarioError(f"package={package}: package is the name of a module, like pyarrow")
    fresh_process = _look_where(package)
    already = package in sys.modules
    modules_before, rss_before = len(sys.modules), rss_bytes()
    started = perf_counter()
    with perftui.phase("import"):
        try:
            import_module(package)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{package}.".startswith(f"{error.name}."):
                raise
            raise ScenarioError(f"there is no module {error.name}") from None
    took_s = perf_counter() - started
    grown = max(rss_bytes() - rss_before, 0)
    print(
        f"import {package}: {format_seconds(took_s)}, "
        f"{len(sys.modules) - modules_before} modules, RSS +{format_bytes(grown)}"
    )
    if already:
        print(f"{package} was loaded before the scenario began: only fresh processes show its cost")
    if not repeats:
        return
    fresh: dict[str, list[float]] = {"pass": [], f"import {package}": []}
    with perftui.phase("spawn"):
        for _ in range(repeats):
            for code, times in fresh.items():
                started = perf_counter()
                with perftui.call("bare interpreter" if code == "pass" else "fresh import"):
                    # A group of its own: on Ctrl-C it is ended by us, and without a word.
                    subprocess.run(fresh_process(code), check=True, process_group=0)
                times.append(perf_counter() - started)
    bare_s, whole_s = (median(times) for times in fresh.values())
    print(
        f"in a fresh process: {format_seconds(max(whole_s - bare_s, 0.0))} over the bare "
        f"interpreter's {format_seconds(bare_s)} (medians, n={repeats})"
    )


def _look_where(package: str) -> Callable[[str], list[str]]:
    """Have a package found; returns the argv of a fresh process that finds it there, for a code.

    A package that a person names is a person's code: PYTHONPATH goes before our own places. The
    current directory is looked at last, and only for the package itself: nobody has asked for a
    `json.py` there.

    Raises:
        ScenarioError: There is no such package.
    """
    top = package.partition(".")[0]
    if find_theirs(top):
        give_back()
        return code_for_others
    if not missing_modules((top,)):
        return own_code
    here = os.getcwd()  # noqa: PTH109 - what is imported here, the package no longer imports
    sys.path.append(here)
    if missing_modules((top,)):
        raise ScenarioError(f"there is no module {package} in {sys.executable}")
    return lambda code: own_code(f"import sys; sys.path.append({here!r}); {code}")
