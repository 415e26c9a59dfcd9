"""Reading a recording: its files, checked, and the answers that come out of them.

container ──► parquet/ ─────────┐
(a folder                       ├──► catalog ──► disk: parts ──► RecordingReader
 or a zip)    format.arrow_file ┘
"""
