"""Time, cost and memory of runs on up to a billion photos, from measured unit costs."""
