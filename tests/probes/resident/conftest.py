"""Every Python that is here, free-threaded ones apart: their heap is another."""

from support.pythons import on_every_python as pytest_generate_tests

__all__ = ["pytest_generate_tests"]
