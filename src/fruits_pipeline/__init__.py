"""Compute reduced feature vectors from photos of fruit, with PySpark and Kedro."""

from fruits_pipeline.import_path import remove_other_spark

remove_other_spark()

__version__ = "0.2.0"
