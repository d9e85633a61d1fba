"""Erase photos from everything below a root, and search for what remains."""
