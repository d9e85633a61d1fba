"""Compute reduced feature vectors from photos of fruit, with PySpark and Kedro."""

__version__ = "0.2.0"
