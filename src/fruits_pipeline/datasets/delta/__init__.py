"""Delta tables whose data files Spark workers write and the driver commits."""
