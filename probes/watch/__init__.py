"""The flight recorder: what led to an event, kept; all else forgotten.

    SessionLog ──► Ring       the last seconds, as ordinary recordings that begin one after another
        │           │
        │           └──► kept   the one that reaches back far enough, once an event has come
        └──► Conditions         say whether one has: `expression`, `matching`, `stalls`

Nothing here knows who asked: `tui.watch.flight` runs it.
"""
