"""Decode, resize, augment and render photos, without Spark or Kedro."""
