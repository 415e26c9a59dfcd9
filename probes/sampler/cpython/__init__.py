"""What CPython keeps where in its memory: found, checked, decoded."""
