"""What keys, mouse and commands do on the live screen: plain objects that the screen owns."""
