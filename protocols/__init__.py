"""How good features are, by protocols that say what was seen in training and what not."""
