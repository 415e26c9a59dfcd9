"""Formats of tables, and the rows that all of them write."""
