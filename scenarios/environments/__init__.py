"""Virtual environments that are made for a measurement, kept, checked before reuse, and pruned."""
