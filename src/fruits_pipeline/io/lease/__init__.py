"""The lease on a root, which permits one run at a time to write below the root."""
