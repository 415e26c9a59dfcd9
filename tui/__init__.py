"""What a person sees and types: the command line, the screens and their widgets."""
