"""Cells of a sweep, bench or matrix as tasks of a cluster: each is measured where it runs."""
