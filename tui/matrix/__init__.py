"""What `perftui matrix` says: progress on stderr, and the tables."""
