"""What runs on AWS cost: list prices, the machine of a run, and the cost of a run."""
