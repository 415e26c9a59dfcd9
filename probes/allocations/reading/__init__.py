"""What runs in the program's own Python, which has the memray that wrote the file."""
