"""What a recording is: its tables, its meta.json, its limits, its sums."""
