"""The screen of runs that are repeated: of a bench, and of a matrix."""
