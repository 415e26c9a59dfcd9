"""Worker processes that stay and work off orders."""
