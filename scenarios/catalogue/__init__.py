"""The scenarios that come with perftui: one per file, and the table of them."""
