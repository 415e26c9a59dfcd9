"""Query engines as scenarios use them: which are there, and the same query in each."""
