"""What every format draws from: the part that is wanted, its stacks in order, its names."""
