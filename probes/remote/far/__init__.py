"""What runs at the far end. It travels, and imports the standard library alone (Python 3.9+)."""
