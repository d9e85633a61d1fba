"""Programs that take photos to features, each a process of its own that times itself."""
