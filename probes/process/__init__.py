"""Processes from outside: one face, a module per system behind it, and the metric probe."""
