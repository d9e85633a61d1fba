"""Run functions on Arrow batches as Spark DataFrames, batch by batch."""
