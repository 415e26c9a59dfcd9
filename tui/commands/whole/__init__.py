"""Commands that make one thing of a recording, or of several."""
