"""Programs with known answers. Each is run by its path, as anybody's program would be."""
