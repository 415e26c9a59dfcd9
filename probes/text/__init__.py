"""Words and units for people: figures, colours, names made harmless, secrets taken out."""
