"""Decode, resize, augment and render photos."""
