"""Writing a recording: the recorder process and what it does with records."""
