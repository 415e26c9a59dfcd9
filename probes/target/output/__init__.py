"""The output of a target behind the screen: the drain, its lines, the tail that is shown."""
