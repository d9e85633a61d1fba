"""Benchmarks of the pipeline: speed and memory, compared with other tools."""
