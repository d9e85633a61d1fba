"""Protocols that measure the quality of features, on photos held out from training."""
