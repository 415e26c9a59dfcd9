"""What is measured, and what a measurement is.

    target process ──agent──┐
         ▲  ▲               │ raw records (`spine.records`)
     psutil  samplers       ▼
         └────┴──► SessionLog ── Enricher       what follows from them is derived once
                       │
                       │ Batch (`spine.enriched`)
          ┌────────────┼──────────────┐
          ▼            ▼              ▼
       Memory       Recorder      Observer      sinks only keep
      (`store`)       │ pipe      (`detect`)
          │           ▼               │
          │    Recording ► files      └──► alerts, back into the log
          │                 │
          │ parts           │ parts (`recording.read`)
          ▼                 ▼
          Answers (`answers`)                   the one implementation of `Reader`
                   │
                   ▼
    summary, comparisons, exports, spikes, detectors, screens

`spine` says what a measurement is and is the one road that all of them take; `answers` says what
is told of them, from parts with a `Protocol` each (`answers.parts`); `store` has the parts of a
live session in bounded memory, `recording.read` those of a recording on disk.
`session` puts one together for a process of this machine, out of `session_parts`; `fleet` does so
for the workers of a cluster, `remote` for a process elsewhere, whose records come over a link.
Nothing here knows a screen.
"""
