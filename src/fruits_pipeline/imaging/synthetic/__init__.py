"""Procedural rendering of fruit, for sample photos."""
