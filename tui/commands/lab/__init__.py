"""Commands that run something more than once, or compare what was run before."""
