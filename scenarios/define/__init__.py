"""What a scenario is: the decorator, its parameters, what it needs."""
