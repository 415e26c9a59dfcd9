"""What this machine and this person grant us: rights, memory, folders, our own interpreter."""
