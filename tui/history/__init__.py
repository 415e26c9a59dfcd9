"""What `perftui history` says: a chart, the changes, the results."""
