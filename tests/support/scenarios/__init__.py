"""What the tests of scenarios share."""
