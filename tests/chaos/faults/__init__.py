"""Faults, one module per kind. Each has `run(trial)`, which yields results."""
