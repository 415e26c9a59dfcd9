"""One scenario at several sizes, and how its costs grow."""
