"""The screen of a comparison."""
