"""What works here, what does not, why, and what to do about it."""
