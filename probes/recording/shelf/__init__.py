"""Where recordings are kept, and one file to share."""
