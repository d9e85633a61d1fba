"""The Spark session, DataFrames of Arrow record batches, and functions for workers."""
