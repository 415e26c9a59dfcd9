"""Recordings where people keep files: object stores and whatever else fsspec knows.

    session ──► NAME.perftui (local) ──► uploader ──► upload_main (a process) ──► store
    open, query, ... ◄── NAME.perftui (local copy) ◄── fetch ◄────────────────── store

A remote recording is the same folder of files below an address. Both directions meet in `kept`:
one bounded folder of local copies, where what is not uploaded yet is never deleted. fsspec and
what it needs are imported by `store` alone, in the process that uses them.
"""
