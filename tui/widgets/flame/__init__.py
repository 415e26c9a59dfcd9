"""Flames: of one time, and of two."""
