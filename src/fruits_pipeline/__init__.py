"""From a bucket of fruit photos to reduced feature vectors."""

__version__ = "0.1.0"
