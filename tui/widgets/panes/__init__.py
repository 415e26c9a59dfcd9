"""The tabs below the timelines."""
