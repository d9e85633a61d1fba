"""Kedro hooks: Spark session, lineage, error messages, skipped reports and run summary."""
