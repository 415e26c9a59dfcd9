"""What is run: the catalogue of scenarios, its runner and their parameters."""
