"""Measure how fast the pipeline is, and hold it against other ways to do the same."""
