"""Static pictures of stacks."""
