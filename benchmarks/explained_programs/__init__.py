"""Ten programs with one planted fault each, written as people write, and five healthy ones.

Some rules of the verdict were mended by them, as others were by `verdict_programs`.
"""

from __future__ import annotations

from verdict_programs import HEALTHY, Known

_GROWS = ("mem_growth", "streaming_violation", "keeps")

PLANTED = {
    "leak": Known(_GROWS, ("on_message", "Session.__init__", "sessions"), "sessions"),
    "collect": Known((*_GROWS, "peak"), ("rows_of", "report", "read"), ""),
    "false_streaming": Known((*_GROWS, "peak"), ("stream", "fetch", "consume"), ""),
    "lazy_import": Known(("imports",), ("render", "to_frame"), "pandas|pyarrow"),
    "lock": Known(("lock_wait",), ("Ledger.book", "book"), "lock"),
    "disk": Known(("io_wait",), ("Journal.write", "write", "commit"), "sync|I/O|disk"),
    "gil": Known(("waits_gil",), ("shout", "score", "tokens"), "GIL"),
    "collector": Known(
        ("cpu", "collector", "gc_pressure"), ("ingest", "parse", "<module>"), "gc|collect"
    ),
    "straggler": Known(("straggler",), ("crunch",), ""),
    "full_scan": Known(("cpu", "waits_in_library", "cpu_native"), ("lookup",), "quer|index|scan"),
}
SOUND = {
    "sound_batches": HEALTHY,
    "sound_pool": HEALTHY,
    "sound_worker": HEALTHY,
    "sound_cache": HEALTHY,
    "sound_files": HEALTHY,
}
KNOWN = PLANTED | SOUND
