"""Reading a recording: its files, checked, and the answers that come out of them."""
