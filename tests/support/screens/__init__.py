"""What the tests of screens share."""
