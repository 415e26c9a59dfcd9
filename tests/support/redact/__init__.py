"""What the tests of redact share."""
