"""What `perftui bench` says: progress on stderr, the table, and what CI and reviewers read."""
