"""Tables and the trees that are shown as tables."""
