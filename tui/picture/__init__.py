"""What a screen shows, as frozen values: the picture, choices, moments. Pure."""
