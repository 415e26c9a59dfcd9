"""The version, in the one place where everything may look."""

__version__ = "0.1.0"
