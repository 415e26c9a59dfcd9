"""Our own processes: where they import from, their files, their streams, their folders."""
