"""Recordings: a session on disk, written while it runs and read as if it ran again.

    NAME.perftui/
      meta.json                 what was recorded, by whom, and whether it was closed
      TABLE-000042.arrows       live segment: an Arrow IPC stream, one batch a second
      TABLE-000041.parquet      sealed segment (five minutes)
      TABLE-000000-000011.parquet   small tables of an hour, merged

`writer` takes records out of the session log, `seal` turns live segments into Parquet,
`reader` answers what the live store answers, `query` runs SQL, `pack` makes one file, and
`shelf` knows the folder where recordings are kept. pyarrow and duckdb are imported inside the
functions that need them: neither may cost the start of a screen.
"""
