"""Loading rows into systems, measured."""
