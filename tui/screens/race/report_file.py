"""The report of a race as a file, where a person finds it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.own.whole_file import write_text
from perftui.scenarios.race.report import as_markdown

if TYPE_CHECKING:
    from perftui.scenarios.race.plan import RacePlan
    from perftui.scenarios.race.race import RaceState
    from perftui.scenarios.race.report import Recordings


def write_report(plan: RacePlan, state: RaceState, recordings: Recordings) -> Path:
    """Write the report beside the work, or into the temporary folder.

    Raises:
        OSError: neither can be written to.
    """
    text = as_markdown(plan, state, recordings)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    name = f"perftui-{plan.pair.name}-{plan.way.engine}-{stamp}.md"
    here = Path.cwd() / name
    try:
        write_text(here, text, replace=False)
    except OSError:
        here = Path(tempfile.gettempdir()) / name
        write_text(here, text, replace=False)
    return here
