"""Rendered fruit, so that a fresh clone has photos to work on."""
