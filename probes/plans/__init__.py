"""Query plans: how they arrive, what they say, what that comes to."""
