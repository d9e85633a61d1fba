"""Decode files of unknown origin, with limits on formats and memory."""
