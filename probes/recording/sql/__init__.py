"""SQL over a recording, in a sandbox."""
