"""Recordings: a session on disk, written while it runs and read as if it ran again.

    NAME.perftui/
      meta.json                 what was recorded, by whom, and whether it was closed
      TABLE-000042.arrows       live segment: an Arrow IPC stream, one batch a second
      TABLE-000041.parquet      sealed segment (five minutes)
      TABLE-000000-000011.parquet   small tables of an hour, merged

    format    what lies in the files
    write     records out of the session's log into live segments, and those into Parquet
    read      answers what the live store answers
    sql       queries, over one recording or many
    shelf     the folder where recordings are kept, and one file to share
    remote    recordings in object stores
    merging   several as one

pyarrow and duckdb are imported inside the functions that need them: neither may cost the start of
a screen.
"""
