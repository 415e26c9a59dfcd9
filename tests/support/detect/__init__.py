"""What the tests of detect share."""
