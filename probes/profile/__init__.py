"""What stacks mean: sums, differences, waiting, places, and who is charged with what."""
