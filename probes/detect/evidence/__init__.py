"""What a judgement is made of: observations, the recent past, and what detectors have in common."""
