"""The terminal itself: what it can show, its palette, its end."""
