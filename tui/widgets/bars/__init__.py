"""Lines across the screen: header, banner, footer, and one-line questions."""
