"""The flame of a range against the time before it."""
