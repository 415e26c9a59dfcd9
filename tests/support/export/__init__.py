"""What the tests of export share."""
