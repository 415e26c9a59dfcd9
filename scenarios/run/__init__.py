"""Running a scenario: what one is, finding it, its parameters, and the process it runs in."""
