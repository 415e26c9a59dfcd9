"""A small service with a leak, or with the bounded cache that it should have had.

Each request parses a document and remembers the result by its key. Keys never repeat, so the
unbounded memory is a leak; the bounded one drops the oldest and levels off. At first nothing is
remembered: growth from a level that was there before is told from a start-up within seconds.
"""

import json
import random
import time
from collections import OrderedDict
from typing import Annotated, Literal

import perftui
from perftui.probes.text.units import format_bytes, format_count
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range
from perftui.scenarios.say.process_memory import check_memory, rss_bytes

_SEED = 17
_BYTES_PER_ENTRY = 3_000
"""A remembered document as Python objects."""
_STEP_S = 0.02


@scenario(
    "leak",
    summary="a service that remembers every request, or only the last few thousand",
    shows="memory that grows with the requests served, against memory that levels off",
)
def leak(
    cache: Annotated[Literal["unbounded", "bounded"], "what is remembered"] = "unbounded",
    seconds: Annotated[float, Range(0.1, 86_400), "how long it serves and remembers"] = 14.0,
    steady: Annotated[float, Range(0, 86_400), "seconds before that, nothing remembered"] = 4.0,
    rate: Annotated[int, Range(1, 1_000_000), "requests per second"] = 3_000,
    bound: Annotated[int, Range(1, 100_000_000), "entries that the bounded cache keeps"] = 4_000,
) -> None:
    """See the module."""
    with perftui.phase("setup"):
        if cache == "unbounded":
            need = int(rate * seconds) * _BYTES_PER_ENTRY
            check_memory(need, "the leak", "choose fewer seconds or a lower rate")
        pick = random.Random(_SEED)
        document = json.dumps(
            {"items": [{"sku": pick.getrandbits(40), "price": pick.random()} for _ in range(8)]}
        )
        remembered: OrderedDict[int, object] = OrderedDict()
    base = rss_bytes()
    served = 0
    started = time.perf_counter()
    with perftui.phase("serve"):
        while (elapsed := time.perf_counter() - started) < steady + seconds:
            due = int(elapsed * rate) - served
            keep = 0 if elapsed < steady else bound if cache == "bounded" else None
            for _ in range(due):
                served += 1
                _serve(served, document, remembered, keep)
            perftui.count("requests", due)
            time.sleep(_STEP_S)
    with perftui.phase("teardown"):
        grown = rss_bytes() - base
        entries = len(remembered)
        remembered.clear()
    print(
        f"{cache}: {format_count(served)} requests, {format_count(entries)} entries remembered, "
        f"RSS +{format_bytes(grown)}, {format_bytes(grown / max(served, 1))} per request"
    )


def _serve(
    key: int, document: str, remembered: "OrderedDict[int, object]", bound: int | None
) -> None:
    remembered[key] = json.loads(document)
    if bound is not None and len(remembered) > bound:
        remembered.popitem(last=False)
