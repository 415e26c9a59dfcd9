"""What the tests of recordings share."""
