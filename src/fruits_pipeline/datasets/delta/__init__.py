"""Tables of the pipeline: Delta tables that workers write and the driver commits."""
