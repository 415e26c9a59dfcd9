"""The live screen, of a session or of a recording."""
